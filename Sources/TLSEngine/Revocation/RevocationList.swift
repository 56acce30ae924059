import AccessPolicy
import COpenSSL
import Synchronization

/// One complete CRL (RFC 5280 §5), ready to be asked.
@safe
final class RevocationList: @unchecked Sendable {
  // Sendable: nothing is changed after it was parsed but `signers`, which a lock guards.
  /// The file's place among the configured ones.
  let file: Int
  let thisUpdate: Timestamp
  /// nil where the CA names none.
  let nextUpdate: Timestamp?
  let scope: CRLScope
  private let header: CRLHeader
  private let serials: RevokedSerials
  private let signature: CRLSignature
  /// Which keys, by the SHA-256 of their SubjectPublicKeyInfo, signed it and which did not.
  private let signers = Mutex<[[UInt8]: Bool]>([:])
  /// CAs of one name and different keys; who fills this has as many certified keys.
  private static let mostSigners = 256

  init(der: [UInt8], file: Int) throws(CRLProblem) {
    self.file = file
    let text = try CRLText(der)
    header = try CRLHeader(text.header)
    scope = try unsafe CRLScope(header.pointer)
    guard let thisUpdate = unsafe CertificateTime.timestamp(X509_CRL_get0_lastUpdate(header.pointer)) else {
      throw .malformed("its thisUpdate")
    }
    self.thisUpdate = thisUpdate
    nextUpdate = try unsafe X509_CRL_get0_nextUpdate(header.pointer).map { time throws(CRLProblem) in
      guard let time = unsafe CertificateTime.timestamp(time) else { throw .malformed("its nextUpdate") }
      return time
    }
    signature = try unsafe CRLSignature(der, signed: text.signed, header: header.pointer)
    serials = try CRLEntries.serials(der, in: text.entries)
  }

  /// `X509_NAME`; lent.
  var issuer: OpaquePointer? { unsafe X509_CRL_get_issuer(header.pointer) }

  /// The issuer as RFC 4514 writes it.
  var issuerText: String { unsafe DistinguishedName(issuer).text }

  /// How many certificates it lists.
  var count: Int { serials.count }

  func lists(_ serial: SerialNumber) -> Bool { serials.contains(serial) }

  /// Asked of each key once.
  func isSigned(by signer: RevocationSigner) -> Bool {
    if let known = signers.withLock({ $0[signer.identity] }) { return known }
    let isSigner = unsafe signature.isMade(by: signer.key)
    signers.withLock { known in
      if known.count >= Self.mostSigners { known.removeAll() }
      known[signer.identity] = isSigner
    }
    return isSigner
  }

  /// The last second in which it is good. Without a nextUpdate, which RFC 5280 §5.1.2.5 demands, nobody says
  /// that it is good beyond the second of its thisUpdate.
  /// - Returns: nil where it is good for ever.
  func lastSecond(_ stale: RevocationOptions.Staleness) -> Timestamp? {
    let next = nextUpdate ?? thisUpdate
    switch stale {
    case .deny: return next
    case .allow: return nil
    case .allowFor(let time):
      let (sum, overflow) = next.seconds.addingReportingOverflow(time.components.seconds)
      return overflow ? .distantFuture : Timestamp(seconds: sum)
    }
  }
}

/// What a CRL says besides its entries.
@safe
final class CRLHeader {
  /// `X509_CRL` without entries; owned.
  let pointer: OpaquePointer

  init(_ der: [UInt8]) throws(CRLProblem) {
    ERR_clear_error()
    let parsed = unsafe der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
      var cursor = buffer.baseAddress
      return unsafe d2i_X509_CRL(nil, &cursor, buffer.count)
    }
    ERR_clear_error()
    guard let parsed = unsafe parsed else { throw .malformed("OpenSSL does not take it for one") }
    unsafe pointer = parsed
    if let problem = unsafe Self.refusal(parsed) { throw problem }
  }

  deinit { unsafe X509_CRL_free(pointer) }

  private static func refusal(_ crl: OpaquePointer) -> CRLProblem? {
    for index in 0..<max(0, unsafe X509_CRL_get_ext_count(crl)) {
      guard let item = unsafe X509_CRL_get_ext(crl, index) else { continue }
      switch unsafe OBJ_obj2nid(X509_EXTENSION_get_object(item)) {
      case NID_delta_crl:
        return CRLProblem(
          "crl-delta", "is a delta: it tells only what changed since another CRL (RFC 5280 §5.2.4)",
          hint: "use the complete CRL")
      case NID_issuing_distribution_point, NID_authority_key_identifier, NID_crl_number, NID_issuer_alt_name,
        NID_freshest_crl, NID_info_access:
        continue
      default:
        if unsafe X509_EXTENSION_get_critical(item) == 0 { continue }
        let type = unsafe CertificateBytes.dotted(X509_EXTENSION_get_object(item)) ?? "unknown"
        return .unknownExtension(type, where: "it")
      }
    }
    return nil
  }
}
