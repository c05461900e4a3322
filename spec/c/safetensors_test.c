/* Named tensors to a file and back, without Lua. */
#include "tensor/safetensors.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "check.h"

static Slice slice(const char *text) {
  return (Slice){text, strlen(text)};
}

/* a bundle of two tensors and a note */
static void fill(Bundle *bundle) {
  Tensor matrix, number;
  CHECK(tensor_init(&matrix, 2, (ptrdiff_t[]){2, 3}) == OK, "a matrix");
  CHECK(tensor_init(&number, 0, NULL) == OK, "a number");
  for (int i = 0; i < 6; i++) {
    matrix.data[i] = i / 3.0;
  }
  number.data[0] = -0.0;
  CHECK(bundle_add(bundle, slice("policy"), &matrix) == OK, "the first is added");
  CHECK(bundle_add(bundle, slice("kl"), &number) == OK, "the second is added");
  CHECK(bundle_note(bundle, slice("step"), slice("17")) == OK, "a note is added");
  tensor_free(&matrix);
  tensor_free(&number);
}

static void check_same(const Bundle *bundle) {
  size_t items, notes;
  const BundleItem *item = bundle_items(bundle, &items);
  const BundleNote *note = bundle_notes(bundle, &notes);
  const Tensor *matrix = bundle_find(bundle, "policy"), *number = bundle_find(bundle, "kl");
  CHECK(items == 2 && strncmp(item[0].name.text, "kl", 2) == 0, "items are in order");
  CHECK(notes == 1 && bundle_compare(note[0].value, slice("17")) == 0, "the note is there");
  CHECK(bundle_find(bundle, "value") == NULL, "a name that is not there is not found");
  CHECK(matrix != NULL && matrix->ndim == 2 && matrix->size[1] == 3 && matrix->data[5] == 5 / 3.0,
        "the matrix is the same");
  CHECK(number != NULL && number->ndim == 0 && 1 / number->data[0] < 0, "so is the number");
}

static void check_file(const char *path) {
  Bundle written = {0}, read = {0};
  Bytes bytes = {0};
  Buffer *file = NULL;
  Fault fault = {0};
  fill(&written);
  CHECK(safetensors_encode(&bytes, &written, PACKED_F64, &fault) == OK, "encoding");
  CHECK(file_write(path, bytes_data(&bytes), bytes.count, FILE_SYNCED, &fault) == OK, "writing");
  CHECK(file_read(&file, path, bytes.count - 1, &fault) == E_TOO_LARGE, "the limit holds");
  CHECK(file_read(&file, path, bytes.count, &fault) == OK, "reading");
  CHECK(safetensors_decode(&read, file->data, file->bytes, &fault) == OK, "decoding");
  buffer_release(file);
  check_same(&read);
  bundle_free(&read);
  bundle_free(&written);
  bytes_free(&bytes);
}

static void check_refusal(void) {
  Bundle twice = {0};
  Bytes bytes = {0};
  Fault fault = {0};
  Tensor t;
  CHECK(tensor_init(&t, 1, (ptrdiff_t[]){1}) == OK, "a vector");
  bundle_add(&twice, slice("w"), &t);
  bundle_add(&twice, slice("w"), &t);
  CHECK(safetensors_encode(&bytes, &twice, PACKED_F64, &fault) == E_FORMAT, "a name twice");
  CHECK(strcmp(fault.text, "the name 'w' comes twice") == 0, "the clause names it");
  bundle_free(&twice);
  bytes_free(&bytes);
  tensor_free(&t);
}

int main(void) {
  size_t live = buffer_live_bytes();
  char path[] = P_tmpdir "/trpo-safetensors-XXXXXX";
  int fd = mkstemp(path);
  CHECK(fd >= 0, "a scratch file");
  close(fd);
  check_file(path);
  unlink(path);
  check_refusal();
  CHECK(buffer_live_bytes() == live, "nothing is leaked");
  return check_failures();
}
