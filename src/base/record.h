#ifndef TRPO_RECORD_H
#define TRPO_RECORD_H

#include "base/bytes.h"
#include "base/json.h"

/**
 * The numbers of one iteration as the texts of a run's files; each number is turned into digits once. A zeroed
 * Record is empty. When memory runs out, the Bytes say so.
 */
typedef struct Record {
  Bytes csv;     /* fields, with commas between them */
  Bytes json;    /* members, with commas between them */
  Bytes summary; /* values for TensorBoard, see tfevents.h */
  int fields;    /* of csv */
} Record;

/**
 * Adds a number to all texts, or only to those besides csv. CSV has what is not finite as nan, inf and -inf, JSON as NaN,
 * Infinity and -Infinity, which is what Python's json writes and reads.
 */
void record_add(Record *record, Slice name, double x, int is_column);

/** Adds an empty field to csv. */
void record_skip(Record *record);

/** 1 when memory has run out. */
int record_failed(const Record *record);

void record_free(Record *record);

/**
 * Appends lines of Stable-Baselines3's monitor.csv, "return,length,seconds".
 *
 * returns, lengths  [in]  of episodes, in the order they ended                   [n]
 * from, to          [in]  seconds between which they ended: they are spread evenly, since readers sort by time
 */
void record_episodes(Bytes *out, const double *returns, const double *lengths, size_t n,
                     double from, double to);

#endif
