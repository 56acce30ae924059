#ifndef COUNTERSIGN_COPENSSL_H
#define COUNTERSIGN_COPENSSL_H

// What Swift cannot import from OpenSSL's headers: function-like macros, macros over them, and the
// typed stacks. Each function here is named after the macro that it stands for. Only the API of
// OpenSSL 3.0 is used, so that one source builds with 3.0 and every later 3.x.

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/obj_mac.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/tls1.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

// MARK: SSL_CTX settings: macros over SSL_CTX_ctrl

static inline int shim_SSL_CTX_set_min_proto_version(SSL_CTX *ctx, int version) {
  return (int)SSL_CTX_set_min_proto_version(ctx, version);
}

static inline int shim_SSL_CTX_set_max_proto_version(SSL_CTX *ctx, int version) {
  return (int)SSL_CTX_set_max_proto_version(ctx, version);
}

/// Sets exactly these mode bits: SSL_CTX_set_mode only adds, and SSL_MODE_AUTO_RETRY is on by default.
static inline void shim_SSL_CTX_replace_mode(SSL_CTX *ctx, long mode) {
  SSL_CTX_clear_mode(ctx, SSL_CTX_get_mode(ctx));
  SSL_CTX_set_mode(ctx, mode);
}

static inline void shim_SSL_CTX_set_session_cache_mode(SSL_CTX *ctx, long mode) {
  SSL_CTX_set_session_cache_mode(ctx, mode);
}

static inline void shim_SSL_CTX_set_max_cert_list(SSL_CTX *ctx, long bytes) {
  SSL_CTX_set_max_cert_list(ctx, bytes);
}

static inline int shim_SSL_CTX_set1_groups_list(SSL_CTX *ctx, const char *list) {
  return (int)SSL_CTX_set1_groups_list(ctx, list);
}

/// The options of both sides; SSL_OP_* are function-like macros since 3.0.
///
/// Bits 32 and 33 are SSL_OP_NO_TX_CERTIFICATE_COMPRESSION and SSL_OP_NO_RX_CERTIFICATE_COMPRESSION, which
/// came with 3.2: a peer that nobody knows yet must not choose what we decompress (RFC 8879 §5). Written as
/// numbers, as the library may be newer than these headers; 3.0 has no such bits and ignores them.
static inline uint64_t shim_common_options(void) {
  return SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_BIT(32) | SSL_OP_BIT(33);
}

/// The options of every server context.
static inline uint64_t shim_server_options(void) {
  return shim_common_options() | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;
}

/// For clients that are to ask for a renegotiation.
static inline void shim_SSL_CTX_allow_renegotiation(SSL_CTX *ctx) {
  SSL_CTX_clear_options(ctx, SSL_OP_NO_RENEGOTIATION);
}

static inline void shim_SSL_CTX_set_tlsext_status_cb(SSL_CTX *ctx, int (*callback)(SSL *, void *)) {
  SSL_CTX_set_tlsext_status_cb(ctx, callback);
}

// MARK: SSL: macros over SSL_ctrl and ex_data

static inline void *shim_SSL_get_app_data(const SSL *ssl) { return SSL_get_app_data(ssl); }

static inline int shim_SSL_set_app_data(SSL *ssl, void *data) { return SSL_set_app_data(ssl, data); }

static inline int shim_SSL_set_tlsext_host_name(SSL *ssl, const char *name) {
  return (int)SSL_set_tlsext_host_name(ssl, name);
}

/// Takes over the bytes, which OPENSSL_malloc made.
static inline int shim_SSL_set_tlsext_status_ocsp_resp(SSL *ssl, void *response, long length) {
  return (int)SSL_set_tlsext_status_ocsp_resp(ssl, response, length);
}

/// Lets a client ask for an OCSP response.
static inline void shim_SSL_ask_for_ocsp(SSL *ssl) {
  SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
}

/// What the server has stapled, or -1; it lives as long as the session.
static inline long shim_SSL_get_tlsext_status_ocsp_resp(SSL *ssl, const unsigned char **response) {
  return SSL_get_tlsext_status_ocsp_resp(ssl, response);
}

/// Whether the extended master secret is in use; -1 while a handshake runs.
static inline int shim_SSL_get_extms_support(SSL *ssl) { return (int)SSL_get_extms_support(ssl); }

/// The name of the negotiated group, or NULL: SSL_get0_group_name came with 3.2 only.
static inline const char *shim_SSL_group_name(SSL *ssl) {
  int group = (int)SSL_get_negotiated_group(ssl);
  return group == NID_undef ? NULL : SSL_group_to_name(ssl, group);
}

// MARK: BIO: macros over BIO_set_flags

static inline void shim_BIO_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }

static inline void shim_BIO_set_retry_write(BIO *bio) { BIO_set_retry_write(bio); }

static inline void shim_BIO_clear_retry_flags(BIO *bio) { BIO_clear_retry_flags(bio); }

/// The bytes that a memory BIO holds; they live as long as the BIO is not written to.
static inline long shim_BIO_get_mem_data(BIO *bio, char **bytes) { return BIO_get_mem_data(bio, bytes); }

// MARK: Typed stacks: macros over OPENSSL_sk_*

static inline STACK_OF(X509) *shim_sk_X509_new_null(void) { return sk_X509_new_null(); }

static inline int shim_sk_X509_num(const STACK_OF(X509) *stack) { return sk_X509_num(stack); }

static inline X509 *shim_sk_X509_value(const STACK_OF(X509) *stack, int index) {
  return sk_X509_value(stack, index);
}

/// Pushes without taking a reference.
static inline int shim_sk_X509_push(STACK_OF(X509) *stack, X509 *certificate) {
  return sk_X509_push(stack, certificate);
}

/// Frees the stack, not what it holds.
static inline void shim_sk_X509_free(STACK_OF(X509) *stack) { sk_X509_free(stack); }

static inline int shim_sk_GENERAL_NAME_num(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }

static inline GENERAL_NAME *shim_sk_GENERAL_NAME_value(const GENERAL_NAMES *names, int index) {
  return sk_GENERAL_NAME_value(names, index);
}

static inline int shim_sk_DIST_POINT_num(const CRL_DIST_POINTS *points) { return sk_DIST_POINT_num(points); }

static inline DIST_POINT *shim_sk_DIST_POINT_value(const CRL_DIST_POINTS *points, int index) {
  return sk_DIST_POINT_value(points, index);
}

/// The full names of a distribution point, or NULL where it has a relative one: a union, as below.
static inline const GENERAL_NAMES *shim_DIST_POINT_NAME_fullname(const DIST_POINT_NAME *point) {
  return point->type == 0 ? point->name.fullname : NULL;
}

static inline int shim_sk_ASN1_OBJECT_num(const EXTENDED_KEY_USAGE *usages) {
  return sk_ASN1_OBJECT_num(usages);
}

static inline ASN1_OBJECT *shim_sk_ASN1_OBJECT_value(const EXTENDED_KEY_USAGE *usages, int index) {
  return sk_ASN1_OBJECT_value(usages, index);
}

/// The value of an ASN1_TYPE that holds a UTF8String, else NULL: Swift does not import its union safely.
static inline const ASN1_STRING *shim_ASN1_TYPE_utf8string(const ASN1_TYPE *type) {
  return type != NULL && type->type == V_ASN1_UTF8STRING ? type->value.utf8string : NULL;
}

// MARK: Keys: macros over EVP_PKEY_CTX_ctrl and variadic functions

static inline EVP_PKEY *shim_EVP_EC_gen(const char *curve) { return EVP_EC_gen(curve); }

static inline EVP_PKEY *shim_EVP_RSA_gen(unsigned int bits) { return EVP_RSA_gen(bits); }

static inline EVP_PKEY *shim_EVP_ED25519_gen(void) { return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"); }

#endif
