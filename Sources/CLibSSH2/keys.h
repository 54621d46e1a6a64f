// Private keys in libcrypto's hands: made from their numbers or from PEM, and signing.
#pragma once
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

// What became of reading a PEM key.
enum helix_pem_outcome { HELIX_PEM_READ, HELIX_PEM_LOCKED, HELIX_PEM_UNKNOWN, HELIX_PEM_BROKEN };

typedef struct {
  const void *bytes;
  size_t count;
  int asked;
} helix_passphrase;

static inline int helix_give_passphrase(char *buffer, int size, int writing, void *context) {
  helix_passphrase *passphrase = context;
  (void)writing;
  passphrase->asked = 1;
  if (!passphrase->bytes || passphrase->count > (size_t)size) return -1;
  memcpy(buffer, passphrase->bytes, passphrase->count);
  return (int)passphrase->count;
}

// Whether libcrypto failed because it lacks an algorithm. What a wrong passphrase makes of a key is
// "unsupported" to its decoders as well, so only what ciphers and digests say counts.
static inline int helix_lacks_algorithm(void) {
  int lacks = 0;
  unsigned long code;
  while ((code = ERR_get_error())) {
    int reason = ERR_GET_REASON(code);
    lacks |= (ERR_GET_LIB(code) == ERR_LIB_PEM && reason == PEM_R_UNSUPPORTED_ENCRYPTION)
             || (ERR_GET_LIB(code) == ERR_LIB_EVP
                 && (reason == ERR_R_UNSUPPORTED || reason == EVP_R_UNSUPPORTED_ALGORITHM
                     || reason == EVP_R_UNSUPPORTED_CIPHER || reason == EVP_R_UNKNOWN_PBE_ALGORITHM
                     || reason == EVP_R_UNSUPPORTED_PRF));
  }
  return lacks;
}

// The key in a PEM text of any form; `passphrase` may be NULL.
static inline EVP_PKEY *helix_read_pem(
    const void *text, size_t count, const void *passphrase, size_t passphrase_count,
    enum helix_pem_outcome *outcome) {
  helix_passphrase given = {passphrase, passphrase_count, 0};
  EVP_PKEY *key = NULL;
  ERR_clear_error();
  BIO *source = BIO_new_mem_buf(text, (int)count);
  if (source) key = PEM_read_bio_PrivateKey(source, NULL, helix_give_passphrase, &given);
  BIO_free(source);
  int lacks = helix_lacks_algorithm();
  *outcome = key                             ? HELIX_PEM_READ
             : given.asked && !passphrase    ? HELIX_PEM_LOCKED
             : lacks                         ? HELIX_PEM_UNKNOWN
             : given.asked                   ? HELIX_PEM_LOCKED
                                             : HELIX_PEM_BROKEN;
  return key;
}

static inline EVP_PKEY *helix_make_key(const char *type, int parts, OSSL_PARAM_BLD *builder) {
  EVP_PKEY *key = NULL;
  OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
  if (parameters && context && EVP_PKEY_fromdata_init(context) > 0)
    EVP_PKEY_fromdata(context, &key, parts, parameters);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  ERR_clear_error();
  return key;
}

// An ecdsa key from its curve, its public point and its secret number.
static inline EVP_PKEY *helix_ec_key(
    const char *curve, const void *point, size_t point_count, const void *secret,
    size_t secret_count) {
  EVP_PKEY *key = NULL;
  BIGNUM *number = BN_secure_new();
  OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
  if (number && builder && BN_bin2bn(secret, (int)secret_count, number)
      && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0)
      && OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, point_count)
      && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, number))
    key = helix_make_key("EC", EVP_PKEY_KEYPAIR, builder);
  OSSL_PARAM_BLD_free(builder);
  BN_clear_free(number);
  return key;
}

typedef struct {
  const void *bytes;
  size_t count;
} helix_number;

// An RSA key from n, e, d, the inverse of q, p and q, in this order.
static inline EVP_PKEY *helix_rsa_key(const helix_number parts[6]) {
  static const char *const names[8] = {
      OSSL_PKEY_PARAM_RSA_N,            OSSL_PKEY_PARAM_RSA_E,
      OSSL_PKEY_PARAM_RSA_D,            OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
      OSSL_PKEY_PARAM_RSA_FACTOR1,      OSSL_PKEY_PARAM_RSA_FACTOR2,
      OSSL_PKEY_PARAM_RSA_EXPONENT1,    OSSL_PKEY_PARAM_RSA_EXPONENT2};
  BIGNUM *numbers[8];
  int fine = 1;
  BN_CTX *context = BN_CTX_secure_new();
  BIGNUM *less = BN_secure_new();
  OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
  for (int i = 0; i < 8; i++) {
    numbers[i] = BN_secure_new();
    fine = fine && numbers[i];
    if (fine && i < 6)
      fine = BN_bin2bn(parts[i].bytes, (int)parts[i].count, numbers[i]) != NULL;
  }
  // The container leaves out d modulo p - 1 and q - 1.
  for (int i = 0; fine && i < 2; i++) {
    BN_set_flags(numbers[2], BN_FLG_CONSTTIME);
    fine = context && less && BN_sub(less, numbers[4 + i], BN_value_one())
           && BN_mod(numbers[6 + i], numbers[2], less, context);
  }
  for (int i = 0; fine && i < 8; i++)
    fine = builder && OSSL_PARAM_BLD_push_BN(builder, names[i], numbers[i]);
  EVP_PKEY *key = fine ? helix_make_key("RSA", EVP_PKEY_KEYPAIR, builder) : NULL;
  OSSL_PARAM_BLD_free(builder);
  for (int i = 0; i < 8; i++) BN_clear_free(numbers[i]);
  BN_clear_free(less);
  BN_CTX_free(context);
  return key;
}

// A public RSA key from n and e.
static inline EVP_PKEY *helix_rsa_public_key(
    const void *modulus, size_t modulus_count, const void *exponent, size_t exponent_count) {
  EVP_PKEY *key = NULL;
  BIGNUM *n = BN_bin2bn(modulus, (int)modulus_count, NULL);
  BIGNUM *e = BN_bin2bn(exponent, (int)exponent_count, NULL);
  OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
  if (n && e && builder && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n)
      && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e))
    key = helix_make_key("RSA", EVP_PKEY_PUBLIC_KEY, builder);
  OSSL_PARAM_BLD_free(builder);
  BN_free(n);
  BN_free(e);
  return key;
}

// Encrypts or decrypts by RSA's OAEP with SHA-256 and a label. `*result_count` is the room, then
// what was used.
static inline int helix_oaep(
    EVP_PKEY *key, int sealing, const void *label, size_t label_count, const void *bytes,
    size_t count, unsigned char *result, size_t *result_count) {
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
  void *copy = OPENSSL_memdup(label, label_count);
  int fine = context && copy
             && (sealing ? EVP_PKEY_encrypt_init(context) : EVP_PKEY_decrypt_init(context)) > 0
             && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0
             && EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) > 0
             && EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) > 0
             && EVP_PKEY_CTX_set0_rsa_oaep_label(context, copy, (int)label_count) > 0;
  // The context owns the label once it took it.
  if (!fine) OPENSSL_free(copy);
  if (fine && sealing) fine = EVP_PKEY_encrypt(context, result, result_count, bytes, count) > 0;
  else if (fine) fine = EVP_PKEY_decrypt(context, result, result_count, bytes, count) > 0;
  EVP_PKEY_CTX_free(context);
  ERR_clear_error();
  return fine;
}

// One of a key's public numbers, big-endian; its length, or 0 when there is no room for it.
static inline size_t helix_key_number(
    const EVP_PKEY *key, const char *name, unsigned char *buffer, size_t size) {
  BIGNUM *number = NULL;
  size_t count = 0;
  if (EVP_PKEY_get_bn_param(key, name, &number) && (size_t)BN_num_bytes(number) <= size)
    count = (size_t)BN_bn2bin(number, buffer);
  BN_free(number);
  return count;
}

// Signs `data`; `digest` is NULL for keys that have none. `*signature_count` is the room, then
// what was used.
static inline int helix_sign(
    EVP_PKEY *key, const char *digest, const void *data, size_t count, unsigned char *signature,
    size_t *signature_count) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  int fine = context && EVP_DigestSignInit_ex(context, NULL, digest, NULL, NULL, key, NULL) > 0
             && EVP_DigestSign(context, signature, signature_count, data, count) > 0;
  EVP_MD_CTX_free(context);
  ERR_clear_error();
  return fine;
}

// Decrypts `count` bytes in one go; `tag` is NULL for ciphers without one. Returns whether that
// worked, which for a wrong key only a tag can tell.
static inline int helix_decrypt(
    const char *cipher, const unsigned char *key, const unsigned char *iv, const unsigned char *tag,
    int tag_count, const unsigned char *bytes, int count, unsigned char *plain) {
  int written = 0, last = 0;
  EVP_CIPHER *algorithm = EVP_CIPHER_fetch(NULL, cipher, NULL);
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  int fine = algorithm && context && EVP_DecryptInit_ex(context, algorithm, NULL, key, iv) > 0
             && EVP_CIPHER_CTX_set_padding(context, 0) > 0;
  if (fine && tag)
    fine = EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag_count, (void *)tag) > 0;
  fine = fine && EVP_DecryptUpdate(context, plain, &written, bytes, count) > 0
         && EVP_DecryptFinal_ex(context, plain + written, &last) > 0 && written + last == count;
  EVP_CIPHER_CTX_free(context);
  EVP_CIPHER_free(algorithm);
  ERR_clear_error();
  return fine;
}
