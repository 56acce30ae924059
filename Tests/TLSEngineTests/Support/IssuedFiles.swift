import AccessPolicy
import COpenSSL

@testable import TLSEngine

// Files that the project itself never writes.

extension IssuedCertificate {
  /// As tools of the time before PKCS #8 write it: RFC 1421 headers.
  func traditionalKeyPEM(_ passphrase: [UInt8]) -> [UInt8] {
    unsafe IssuingBytes.written { bio in
      unsafe PEM_write_bio_PrivateKey_traditional(
        bio, key, EVP_aes_256_cbc(), passphrase, Int32(passphrase.count), nil, nil)
    }
  }

  func pkcs12(_ passphrase: [UInt8], others: [IssuedCertificate]) -> [UInt8] {
    guard let stack = unsafe shim_sk_X509_new_null() else { return [] }
    defer { unsafe shim_sk_X509_free(stack) }
    for other in others { _ = unsafe shim_sk_X509_push(stack, other.certificate.pointer) }
    let text = passphrase.map { CChar(bitPattern: $0) } + [0]
    guard
      let file = unsafe PKCS12_create(
        text, "server", key, certificate.pointer, stack, 0, 0, 0, 0, 0)
    else { return [] }
    defer { unsafe PKCS12_free(file) }
    return unsafe CertificateBytes.encoded { unsafe i2d_PKCS12(file, $0) } ?? []
  }
}

/// Writes OCSP responses.
struct OCSPWriter {
  var subject: IssuedCertificate
  var issuer: IssuedCertificate
  var signer: IssuedCertificate
  var status = V_OCSP_CERTSTATUS_GOOD
  var thisUpdate = Timestamp(seconds: TestPKI.now.seconds - 3600)
  var nextUpdate: Timestamp? = Timestamp(seconds: TestPKI.now.seconds + 3600)

  init(_ subject: IssuedCertificate, by issuer: IssuedCertificate) {
    self.subject = subject
    self.issuer = issuer
    signer = issuer
  }

  var response: [UInt8] {
    guard let basic = unsafe OCSP_BASICRESP_new(),
      let identifier = unsafe OCSP_cert_to_id(nil, subject.certificate.pointer, issuer.certificate.pointer)
    else { return [] }
    defer {
      unsafe OCSP_BASICRESP_free(basic)
      unsafe OCSP_CERTID_free(identifier)
    }
    let begin = unsafe ASN1_TIME_to_generalizedtime(ASN1_TIME_set(nil, Int(thisUpdate.seconds)), nil)
    let end = unsafe nextUpdate.map {
      unsafe ASN1_TIME_to_generalizedtime(ASN1_TIME_set(nil, Int($0.seconds)), nil)
    }
    let revoked = unsafe status == V_OCSP_CERTSTATUS_REVOKED ? begin : nil
    _ = unsafe OCSP_basic_add1_status(basic, identifier, status, 0, revoked, begin, end ?? nil)
    _ = unsafe OCSP_basic_sign(
      basic, signer.certificate.pointer, signer.key, EVP_sha256(), nil, UInt(OCSP_NOCERTS))
    return unsafe Self.encoded(OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic))
  }

  /// What a responder says that is too busy.
  static var refusal: [UInt8] { unsafe encoded(OCSP_response_create(OCSP_RESPONSE_STATUS_TRYLATER, nil)) }

  private static func encoded(_ response: OpaquePointer?) -> [UInt8] {
    defer { unsafe OCSP_RESPONSE_free(response) }
    return unsafe CertificateBytes.encoded { unsafe i2d_OCSP_RESPONSE(response, $0) } ?? []
  }
}
