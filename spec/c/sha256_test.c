/* SHA-256 against the examples of FIPS 180 (NIST, "Examples with intermediate values"), and Python's hashlib. */
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
  static char text[1000001];
  memset(text, 'a', sizeof text - 1);
  check_text(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* texts whose padding just fits into their last block, and just not */
static void check_padding(void) {
  char text[128] = {0};
  memset(text, 'b', 55);
  check_text(text, "eb2c86e932179f4ba13fe8715a26124b77d6bad290b9b4c1cc140cf633300c19");
  memset(text, 'b', 56);
  check_text(text, "a5fc6e203a4c2b657d0d153885932414b2ffc6a93f0f8bf8b3183315e5a7212c");
  memset(text, 'b', 63);
  check_text(text, "94e419fabac7f930810f9636354042f8c1426d2f834d4ab65c93dc1e69326b13");
  memset(text, 'b', 64);
  check_text(text, "a0fab1377f49a759b57f63318262ebe89fabfc990e8e93ceac2984561482b9d4");
  memset(text, 'b', 65);
  check_text(text, "74b128f30cf83de43ddf4aafc40c7b50a7443d3c73a89a7cfca17e15e43d51ab");
  memset(text, 'b', 119);
  check_text(text, "68297a9eb141ce16bbc0847da1c0c48e2858704feaa13993bde29f87a198a6e1");
  memset(text, 'b', 120);
  check_text(text, "392add47fbaa8197a874ebe770a947a26dd6f2becce5f64688cc4d18c9da93bd");
}

int main(void) {
  check_examples();
  check_million();
  check_padding();
  return check_failures();
}
