/* SHA-256 against the examples of FIPS 180 (NIST, "Examples with intermediate values"), and the same bytes in pieces. */
#include "base/sha256.h"

#include <string.h>

#include "check.h"

static void check_text(const char *text, const char *expected) {
  char hex[SHA256_HEX + 1];
  sha256_hex(hex, text, strlen(text));
  CHECK(strcmp(hex, expected) == 0, "'%.20s' gives %s", text, hex);
}

static void check_examples(void) {
  check_text("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  check_text("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  check_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
             "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  check_text(
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
      "lmnopqrsmnopqrstnopqrstu",
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

static void check_million(void) {
  static const unsigned char expected[4] = {0xcd, 0xc7, 0x6e, 0x5c};
  char piece[1000];
  unsigned char digest[SHA256_BYTES];
  Sha256 hash = sha256_begin();
  memset(piece, 'a', sizeof piece);
  for (int i = 0; i < 1000; i++) sha256_add(&hash, piece, sizeof piece);
  sha256_end(&hash, digest);
  CHECK(memcmp(digest, expected, sizeof expected) == 0, "a million of 'a'");
}

/* every length around two blocks, cut in two at every place */
static void check_pieces(void) {
  int differing = 0;
  unsigned char text[150], whole[SHA256_BYTES], pieces[SHA256_BYTES];
  for (size_t i = 0; i < sizeof text; i++) text[i] = (unsigned char)(7 * i + 1);
  for (size_t n = 0; n <= sizeof text; n++) {
    Sha256 hash = sha256_begin();
    sha256_add(&hash, text, n);
    sha256_end(&hash, whole);
    for (size_t cut = 0; cut <= n; cut++) {
      hash = sha256_begin();
      sha256_add(&hash, text, cut);
      sha256_add(&hash, text + cut, n - cut);
      sha256_end(&hash, pieces);
      differing += memcmp(whole, pieces, sizeof whole) != 0;
    }
  }
  CHECK(differing == 0, "%d texts in two pieces differ", differing);
}

int main(void) {
  check_examples();
  check_million();
  check_pieces();
  return check_failures();
}
