#include "base/tfevents.h"

#include <string.h>

#include "base/crc32c.h"

/* how a field is written: the low bits of its key */
enum { VARINT = 0, EIGHT_BYTES = 1, LENGTH = 2, FOUR_BYTES = 5 };

/* the most that an Event has around its summary or version */
enum { AROUND = 48 };

/* --- numbers --------------------------------------------------------------------------------------------- */

static unsigned char *put_bytes(unsigned char *at, uint64_t x, int n) {
  for (int i = 0; i < n; i++) {
    *at++ = (unsigned char)(x >> 8 * i);
  }
  return at;
}

static unsigned char *put_varint(unsigned char *at, uint64_t x) {
  for (; x >= 0x80; x >>= 7) *at++ = (unsigned char)(x | 0x80);
  *at++ = (unsigned char)x;
  return at;
}

static unsigned char *put_key(unsigned char *at, int field, int kind) {
  return put_varint(at, (uint64_t)(field << 3 | kind));
}

static unsigned char *put_double(unsigned char *at, int field, double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return put_bytes(put_key(at, field, EIGHT_BYTES), bits, 8);
}

static unsigned char *put_float(unsigned char *at, int field, float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return put_bytes(put_key(at, field, FOUR_BYTES), bits, 4);
}

/* --- records --------------------------------------------------------------------------------------------- */

/* one TFRecord: its message is the n bytes of head, then the bytes of body */
static void add_record(Bytes *out, const unsigned char *head, size_t n, const void *body,
                       size_t bytes) {
  unsigned char *start = bytes_extend(out, n + bytes + 16);
  if (start == NULL) {
    return;
  }
  unsigned char *message = put_bytes(start, n + bytes, 8);
  message = put_bytes(message, crc32c_masked(start, 8), 4);
  memcpy(message, head, n);
  memcpy(message + n, body, bytes);
  put_bytes(message + n + bytes, crc32c_masked(message, n + bytes), 4);
}

void tfevents_version(Bytes *out, double wall_time) {
  static const char version[] = "brain.Event:2";
  unsigned char head[AROUND];
  unsigned char *end = put_double(head, 1, wall_time);
  end = put_varint(put_key(end, 3, LENGTH), sizeof version - 1);
  add_record(out, head, (size_t)(end - head), version, sizeof version - 1);
}

void tfevents_scalar(Bytes *summary, const char *tag, size_t bytes, double x) {
  /* the value: key, length and bytes of the tag; key and bytes of the number */
  unsigned char inner[AROUND], outer[AROUND];
  size_t tagged = (size_t)(put_varint(put_key(inner, 1, LENGTH), bytes) - inner);
  unsigned char *end = put_key(outer, 1, LENGTH);
  end = put_varint(end, tagged + bytes + 5);
  bytes_add(summary, outer, (size_t)(end - outer));
  bytes_add(summary, inner, tagged);
  bytes_add(summary, tag, bytes);
  end = put_float(outer, 2, (float)x);
  bytes_add(summary, outer, (size_t)(end - outer));
}

void tfevents_event(Bytes *out, double wall_time, int64_t step, const Bytes *summary) {
  unsigned char head[AROUND];
  unsigned char *end = put_double(head, 1, wall_time);
  end = put_varint(put_key(end, 2, VARINT), (uint64_t)step);
  end = put_varint(put_key(end, 5, LENGTH), summary->count);
  add_record(out, head, (size_t)(end - head), bytes_data(summary), summary->count);
  out->failed |= summary->failed;
}
