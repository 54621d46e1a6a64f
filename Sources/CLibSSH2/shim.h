// The one door to libssh2 and to the libcrypto and zlib it already brings: Swift sees functions, not
// the function-like macros and casts of their headers.
#pragma once
#include <errno.h>
#include <libssh2.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <zlib.h>
#ifdef __linux__
// Swift's Glibc module has neither.
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// glibc shows these to GNU sources only.
extern int pipe2(int ends[2], int flags);
extern int posix_spawn_file_actions_addclosefrom_np(void *actions, int from);

// A descriptor that becomes readable when the process has ended; -1 when the kernel has none.
static inline int helix_open_process(int process) {
#ifdef SYS_pidfd_open
  return (int)syscall(SYS_pidfd_open, process, 0);
#else
  return -1;
#endif
}

// Lets all threads share one heap: each with its own keeps what sessions on other threads could use.
// The C libraries without such a setting have one heap anyway.
static inline void helix_share_heap(void) {
#ifdef M_ARENA_MAX
  mallopt(M_ARENA_MAX, 1);
#endif
}

// Keeps this process's memory from core dumps and from other processes of its user.
static inline int helix_refuse_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
#endif
#include "bcrypt.h"
#include "keys.h"

typedef ssize_t (*helix_receive)(libssh2_socket_t, void *, size_t, int, void **);
typedef ssize_t (*helix_send)(libssh2_socket_t, const void *, size_t, int, void **);
typedef void (*helix_disconnected)(
    LIBSSH2_SESSION *, int, const char *, int, const char *, int, void **);

// Lets a session read and write through our own functions, which get `context`.
static inline void helix_set_transport(
    LIBSSH2_SESSION *session, void *context, helix_send send, helix_receive receive,
    helix_disconnected disconnected) {
  *libssh2_session_abstract(session) = context;
  libssh2_session_callback_set(session, LIBSSH2_CALLBACK_SEND, (void *)send);
  libssh2_session_callback_set(session, LIBSSH2_CALLBACK_RECV, (void *)receive);
  libssh2_session_callback_set(session, LIBSSH2_CALLBACK_DISCONNECT, (void *)disconnected);
}

// A copy of `count` bytes from the allocator that libssh2 frees a signature with.
static inline unsigned char *helix_copy(const void *bytes, size_t count) {
  unsigned char *copy = malloc(count ? count : 1);
  if (copy) memcpy(copy, bytes, count);
  return copy;
}

// SHA-256 of `bytes`; false when libcrypto refuses.
static inline int helix_sha256(const void *bytes, size_t count, unsigned char digest[32]) {
  return EVP_Digest(bytes, count, digest, NULL, EVP_sha256(), NULL);
}

// SHA-1, which names sockets in ssh's configuration.
static inline int helix_sha1(const void *bytes, size_t count, unsigned char digest[20]) {
  return EVP_Digest(bytes, count, digest, NULL, EVP_sha1(), NULL);
}

// SHA-512 of `bytes`; false when libcrypto refuses.
static inline int helix_sha512(const void *bytes, size_t count, unsigned char digest[64]) {
  return EVP_Digest(bytes, count, digest, NULL, EVP_sha512(), NULL);
}

// HMAC-SHA1, which hashed known_hosts names use.
static inline int helix_hmac_sha1(
    const void *key, int key_count, const void *bytes, size_t count, unsigned char digest[20]) {
  return HMAC(EVP_sha1(), key, key_count, bytes, count, digest, NULL) != NULL;
}

// Room enough for a gzip member of `count` bytes, whatever they are.
static inline size_t helix_gzip_bound(size_t count) { return compressBound(count) + 32; }

// One whole gzip member of `count` bytes; its length, or 0 when there is no room or no memory.
static inline size_t helix_gzip(
    const void *bytes, size_t count, void *member, size_t room, int level) {
  const int whole_gzip_member = 15 + 16;
  z_stream stream;
  memset(&stream, 0, sizeof stream);
  if (deflateInit2(&stream, level, Z_DEFLATED, whole_gzip_member, 9, Z_DEFAULT_STRATEGY) != Z_OK)
    return 0;
  stream.next_in = (Bytef *)bytes;
  stream.avail_in = (uInt)count;
  stream.next_out = (Bytef *)member;
  stream.avail_out = (uInt)room;
  int code = deflate(&stream, Z_FINISH);
  size_t length = stream.total_out;
  deflateEnd(&stream);
  return code == Z_STREAM_END ? length : 0;
}
