import AccessPolicy
import COpenSSL

/// What is sent to clients that ask whether our certificate still holds (RFC 6066 §8).
struct StapledResponse: Sendable {
  enum Status: Sendable { case good, revoked, unknown }

  /// The DER as it goes over the wire.
  let bytes: [UInt8]
  let status: Status
  let thisUpdate: Timestamp
  /// The last second in which it is sent.
  let nextUpdate: Timestamp
  /// Whether the chain had the issuer, and the signature is its own or its delegate's.
  let isVerified: Bool
  /// Which file it is from, from 0.
  let file: Int

  /// One that is stale, or says anything but "good", makes clients refuse a certificate that they would
  /// otherwise take.
  func isCurrent(at now: Timestamp) -> Bool {
    status == .good && (thisUpdate.seconds...nextUpdate.seconds).contains(now.seconds)
  }
}

/// An OCSP response in a file (RFC 6960), as `openssl ocsp -respout` writes it.
@safe
final class OCSPResponse {
  private let bytes: [UInt8]
  /// `OCSP_BASICRESP`; owned.
  private let basic: OpaquePointer

  init(der: [UInt8]) throws(TLSConfigurationError) {
    ERR_clear_error()
    let response = unsafe der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
      var cursor = buffer.baseAddress
      return unsafe d2i_OCSP_RESPONSE(nil, &cursor, buffer.count)
    }
    defer {
      unsafe OCSP_RESPONSE_free(response)
      ERR_clear_error()
    }
    guard let response = unsafe response else {
      throw TLSConfigurationError(
        .ocspResponse, "response-malformed", "it cannot be parsed as an OCSP response",
        hint: "it is DER, as openssl ocsp -respout writes it")
    }
    let status = unsafe OCSP_response_status(response)
    guard status == OCSP_RESPONSE_STATUS_SUCCESSFUL else {
      let word =
        unsafe OCSP_response_status_str(Int(status)).map { unsafe String(cString: $0) } ?? "\(status)"
      throw TLSConfigurationError(
        .ocspResponse, "response-unsuccessful", "the OCSP responder refused to answer: \(word)")
    }
    guard let basic = unsafe OCSP_response_get1_basic(response) else {
      throw TLSConfigurationError(
        .ocspResponse, "response-malformed", "the OCSP response is of another type than \"basic\"")
    }
    unsafe self.basic = basic
    bytes = der
  }

  deinit { unsafe OCSP_BASICRESP_free(basic) }

  /// - Parameter chain: our own, the leaf first.
  /// - Returns: nil where the response is about something else.
  func staple(for chain: [Certificate], file: Int) throws(TLSConfigurationError) -> StapledResponse? {
    guard let leaf = chain.first else { return nil }
    let issuer = chain.dropFirst().first
    defer { ERR_clear_error() }
    for index in unsafe 0..<max(0, OCSP_resp_count(basic)) {
      guard let single = unsafe OCSP_resp_get0(basic, index), unsafe Self.isAbout(single, leaf, issuer) else {
        continue
      }
      if let issuer, !isSigned(by: issuer) {
        throw TLSConfigurationError(
          .ocspResponse, "response-signature",
          "the OCSP response is not signed by \(issuer.subject), nor by whom that CA has authorised for it")
      }
      return try unsafe Self.staple(single, bytes, isVerified: issuer != nil, file: file)
    }
    return nil
  }

  private static func isAbout(_ single: OpaquePointer, _ leaf: Certificate, _ issuer: Certificate?) -> Bool {
    guard let identifier = unsafe OCSP_SINGLERESP_get0_id(single) else { return false }
    var nameHash: UnsafeMutablePointer<ASN1_OCTET_STRING>?
    var algorithm: OpaquePointer?
    var serial: UnsafeMutablePointer<ASN1_INTEGER>?
    guard unsafe OCSP_id_get0_info(&nameHash, &algorithm, nil, &serial, identifier) == 1,
      let digest = unsafe EVP_get_digestbyname(OBJ_nid2sn(OBJ_obj2nid(algorithm))),
      unsafe ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(leaf.pointer)) == 0
    else { return false }
    guard let issuer else {
      var hash = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
      var count: UInt32 = 0
      guard unsafe X509_NAME_digest(X509_get_issuer_name(leaf.pointer), digest, &hash, &count) == 1 else {
        return false
      }
      return unsafe CertificateBytes.copy(nameHash) == Array(hash.prefix(Int(count)))
    }
    guard let expected = unsafe OCSP_cert_to_id(digest, leaf.pointer, issuer.pointer) else { return false }
    defer { unsafe OCSP_CERTID_free(expected) }
    return unsafe OCSP_id_cmp(expected, identifier) == 0
  }

  /// Judged whenever it is loaded: how long it is good for is in the response itself.
  private func isSigned(by issuer: Certificate) -> Bool {
    guard let store = unsafe X509_STORE_new() else { return false }
    defer { unsafe X509_STORE_free(store) }
    let flags = UInt(X509_V_FLAG_PARTIAL_CHAIN) | UInt(X509_V_FLAG_NO_CHECK_TIME)
    guard unsafe X509_STORE_add_cert(store, issuer.pointer) == 1,
      unsafe X509_STORE_set_flags(store, flags) == 1,
      let stack = unsafe shim_sk_X509_new_null()
    else { return false }
    defer { unsafe shim_sk_X509_free(stack) }
    guard unsafe shim_sk_X509_push(stack, issuer.pointer) > 0 else { return false }
    return unsafe OCSP_basic_verify(basic, stack, store, 0) == 1
  }

  private static func staple(
    _ single: OpaquePointer, _ bytes: [UInt8], isVerified: Bool, file: Int
  ) throws(TLSConfigurationError) -> StapledResponse {
    var thisUpdate: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
    var nextUpdate: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
    let status = unsafe OCSP_single_get0_status(single, nil, nil, &thisUpdate, &nextUpdate)
    guard let begin = unsafe CertificateTime.timestamp(thisUpdate),
      let end = unsafe CertificateTime.timestamp(nextUpdate), end.seconds >= begin.seconds
    else {
      throw TLSConfigurationError(
        .ocspResponse, "response-without-end",
        "the OCSP response does not say until when it holds (nextUpdate)",
        hint: "nobody would know when to stop sending it: ask the CA for one with nextUpdate")
    }
    let meaning: StapledResponse.Status =
      switch status {
      case V_OCSP_CERTSTATUS_GOOD: .good
      case V_OCSP_CERTSTATUS_REVOKED: .revoked
      default: .unknown
      }
    return StapledResponse(
      bytes: bytes, status: meaning, thisUpdate: begin, nextUpdate: end, isVerified: isVerified, file: file)
  }
}
