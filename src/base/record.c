#include "base/record.h"

#include <math.h>

#include "base/decimal.h"
#include "base/tfevents.h"

static void next_field(Record *record) {
  if (record->fields++ > 0) bytes_text(&record->csv, ",");
}

/* what is not finite, as Python's json has it */
static const char *word(double x) {
  return isnan(x) ? "NaN" : x > 0 ? "Infinity" : "-Infinity";
}

static void add_member(Bytes *json, Slice name, double x, const char *digits, size_t n) {
  if (json->count > 0) bytes_text(json, ",");
  json_add_string(json, name);
  bytes_text(json, ":");
  if (isfinite(x)) {
    bytes_add(json, digits, n);
  } else {
    bytes_text(json, word(x));
  }
}

void record_add(Record *record, Slice name, double x, int is_column) {
  char digits[DECIMAL_BYTES];
  size_t n = decimal_write(digits, x);
  if (is_column) {
    next_field(record);
    bytes_add(&record->csv, digits, n);
  }
  add_member(&record->json, name, x, digits, n);
  tfevents_scalar(&record->summary, name.text, name.bytes, x);
}

void record_skip(Record *record) {
  next_field(record);
}

int record_failed(const Record *record) {
  return record->csv.failed || record->json.failed || record->summary.failed;
}

void record_free(Record *record) {
  bytes_free(&record->csv);
  bytes_free(&record->json);
  bytes_free(&record->summary);
}

void record_episodes(Bytes *out, const double *returns, const double *lengths, size_t n,
                     double from, double to) {
  for (size_t i = 0; i < n; i++) {
    /* microseconds are enough */
    double t = round((from + (to - from) * (double)(i + 1) / (double)n) * 1e6) / 1e6;
    char line[3 * DECIMAL_BYTES + 3];
    size_t end = decimal_write(line, returns[i]);
    line[end++] = ',';
    end += decimal_write(line + end, lengths[i]);
    line[end++] = ',';
    end += decimal_write(line + end, t);
    line[end++] = '\n';
    bytes_add(out, line, end);
  }
}
