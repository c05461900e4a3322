#ifndef TRPO_TFEVENTS_H
#define TRPO_TFEVENTS_H

#include <stdint.h>

#include "base/bytes.h"

/**
 * TensorBoard's event files: TFRecords of Event messages in protocol buffers' wire format.
 *
 *   TFRecord: length (8 bytes), masked CRC-32C of these, the message, masked CRC-32C of it
 *   Event:    1 wall_time (double), 2 step (int64), 3 file_version (string), 5 summary (Summary)
 *   Summary:  1 value (repeated Value);  Value: 1 tag (string), 2 simple_value (float)
 *
 * Source: tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto, .../framework/summary.proto.
 * Little-endian, whatever the machine. When memory runs out, the Bytes say so.
 */

/** Appends the record that begins a file. wall_time in seconds since 1970. */
void tfevents_version(Bytes *out, double wall_time);

/** Appends a value to a summary under construction. tag is UTF-8; x becomes the nearest float, which may be infinite. */
void tfevents_scalar(Bytes *summary, const char *tag, size_t bytes, double x);

/** Appends the record of one event with a summary of values. */
void tfevents_event(Bytes *out, double wall_time, int64_t step, const Bytes *summary);

#endif
