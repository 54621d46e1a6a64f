// The inner hash of bcrypt_pbkdf: Blowfish with its key schedule made costly.
// In C because it is a million table look-ups, which must be quick in debug builds too.
#pragma once
#include <openssl/crypto.h>
#include <stdint.h>
#include <string.h>

// Blowfish's words: 18 subkeys, then four boxes of 256.
#define HELIX_BLOWFISH_WORDS (18 + 4 * 256)

static inline uint32_t helix_blowfish_mix(const uint32_t *words, uint32_t x) {
  const uint32_t *box = words + 18;
  return ((box[x >> 24] + box[256 + (x >> 16 & 255)]) ^ box[512 + (x >> 8 & 255)])
         + box[768 + (x & 255)];
}

static inline void helix_blowfish_encrypt(const uint32_t *words, uint32_t *left, uint32_t *right) {
  uint32_t l = *left ^ words[0], r = *right;
  for (int round = 1; round < 17; round += 2) {
    r ^= helix_blowfish_mix(words, l) ^ words[round];
    l ^= helix_blowfish_mix(words, r) ^ words[round + 1];
  }
  *left = r ^ words[17];
  *right = l;
}

// Stirs a key of 16 words, and a salt where there is one, into all words.
static inline void helix_blowfish_expand(
    uint32_t *words, const uint32_t *key, const uint32_t *salt) {
  for (int i = 0; i < 18; i++) words[i] ^= key[i % 16];
  uint32_t left = 0, right = 0;
  for (int i = 0; i < HELIX_BLOWFISH_WORDS; i += 2) {
    if (salt) {
      left ^= salt[i % 16];
      right ^= salt[i % 16 + 1];
    }
    helix_blowfish_encrypt(words, &left, &right);
    words[i] = left;
    words[i + 1] = right;
  }
}

static inline void helix_words(const unsigned char *bytes, uint32_t *words, int count) {
  for (int i = 0; i < count; i++, bytes += 4)
    words[i] = (uint32_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

// One bcrypt hash of two SHA-512 digests; `start` holds Blowfish's first words, big-endian.
static inline void helix_bcrypt_hash(
    const unsigned char *start, const unsigned char pass[64], const unsigned char salt[64],
    unsigned char hash[32]) {
  uint32_t words[HELIX_BLOWFISH_WORDS], pass_words[16], salt_words[16], text[8];
  helix_words(start, words, HELIX_BLOWFISH_WORDS);
  helix_words(pass, pass_words, 16);
  helix_words(salt, salt_words, 16);
  helix_words((const unsigned char *)"OxychromaticBlowfishSwatDynamite", text, 8);
  helix_blowfish_expand(words, pass_words, salt_words);
  for (int i = 0; i < 64; i++) {
    helix_blowfish_expand(words, salt_words, NULL);
    helix_blowfish_expand(words, pass_words, NULL);
  }
  for (int i = 0; i < 64; i++)
    for (int block = 0; block < 8; block += 2)
      helix_blowfish_encrypt(words, &text[block], &text[block + 1]);
  for (int i = 0; i < 8; i++)
    for (int byte = 0; byte < 4; byte++) hash[4 * i + byte] = text[i] >> 8 * byte & 255;
  OPENSSL_cleanse(words, sizeof words);
  OPENSSL_cleanse(pass_words, sizeof pass_words);
}
