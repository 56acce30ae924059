import AccessPolicy
import COpenSSL

/// Which label a verified chain has, and whether it could have had another.
///
/// The anchor that is nearest to the client's certificate decides, since OpenSSL asks its store before it looks
/// at what was sent: where an intermediate is an anchor, nothing above it matters. A client that sends an
/// intermediate in two forms, each signed by a CA of another label, has two chains of which neither is
/// nearer; which one OpenSSL takes depends on their order, so such a client is refused.
struct TrustLabels: Sendable {
  private let anchors: [TrustAnchor]
  /// By the SHA-256 of the anchor's DER.
  private let labels: [String: String?]
  private let hasSeveral: Bool

  init(_ labelled: LabelledAnchors) {
    anchors = labelled.all
    labels = Dictionary(
      labelled.all.map { (unsafe CertificateBytes.sha256($0.certificate.pointer) ?? "", $0.label) },
      uniquingKeysWith: { first, _ in first })
    hasSeveral = Set(labelled.all.map(\.label)).count > 1
  }

  /// Gives a verified chain its label.
  /// - Parameters:
  ///   - presented: `STACK_OF(X509)`: everything that the client sent; lent.
  ///   - facts: holds the anchor's `root_sha256`; gets `trust_label` where there is one.
  /// - Returns: why the client is refused although its chain is verified.
  func label(
    _ leaf: OpaquePointer, presented: OpaquePointer?, at now: Timestamp, _ facts: inout Facts
  ) -> HandshakeFailure? {
    guard case .text(let root)? = facts[.rootSHA256], let label = labels[root] else {
      return HandshakeFailure(
        reason: .certificateUntrusted, code: "X509_V_ERR_CERT_UNTRUSTED",
        message: "the chain ends in a certificate that is no anchor here")
    }
    facts[.trustLabel] = label.map { .text($0) }
    guard hasSeveral else { return nil }
    var search = unsafe AnchorSearch(anchors, presented: presented, at: now)
    // By names first, which costs nothing: hardly any client sends what makes signatures worth a look.
    guard unsafe search.labels(above: leaf, provingSignatures: false).count > 1 else { return nil }
    let found = unsafe search.labels(above: leaf, provingSignatures: true)
    guard found.count > 1 || search.isExhausted else { return nil }
    let names = found.map(LabelledAnchors.under).sorted().joined(separator: " and ")
    return HandshakeFailure(
      reason: .certificateUntrusted, code: "X509_V_ERR_APPLICATION_VERIFICATION",
      message: search.isExhausted
        ? "the client sends so many CAs of one name that nobody looks under which label its chain ends"
        : "the chain can end \(names): the client sends a cross-signed CA in several forms")
  }
}

/// Looks for every anchor that a chain of what a client has sent can end in.
@safe
private struct AnchorSearch {
  /// Each proof costs a signature check with a key that the client chose: an honest cross-signed hierarchy takes
  /// a handful.
  private static let mostProofs = 16

  private let anchors: [TrustAnchor]
  private let presented: [OpaquePointer]
  private let now: Int64
  private var proofs = 0

  /// Whether there were more signatures to check than an honest client's chain has.
  var isExhausted: Bool { proofs > Self.mostProofs }

  init(_ anchors: [TrustAnchor], presented: OpaquePointer?, at now: Timestamp) {
    self.anchors = anchors
    let count = unsafe presented.map { unsafe shim_sk_X509_num($0) } ?? 0
    unsafe self.presented = unsafe (0..<max(0, count)).compactMap { unsafe shim_sk_X509_value(presented, $0) }
    self.now = now.seconds
  }

  mutating func labels(above leaf: OpaquePointer, provingSignatures: Bool) -> Set<String?> {
    var found: Set<String?> = []
    var seen: Set<OpaquePointer> = unsafe [leaf]
    var waiting = unsafe [leaf]
    defer { ERR_clear_error() }
    while let certificate = unsafe waiting.popLast(), !isExhausted {
      let near = anchors.filter {
        unsafe issued(certificate, by: $0.certificate.pointer, proving: provingSignatures)
      }
      // Nothing above an anchor matters; see TrustLabels.
      guard near.isEmpty else {
        found.formUnion(near.map(\.label))
        continue
      }
      let issuers = unsafe presented.filter { unsafe !seen.contains($0) && isValid($0) }
      for index in unsafe issuers.indices {
        let issuer = unsafe issuers[index]
        guard unsafe issued(certificate, by: issuer, proving: provingSignatures) else { continue }
        unsafe seen.insert(issuer)
        unsafe waiting.append(issuer)
      }
    }
    return found
  }

  private mutating func issued(
    _ certificate: OpaquePointer, by issuer: OpaquePointer, proving: Bool
  ) -> Bool {
    guard unsafe X509_check_issued(issuer, certificate) == X509_V_OK else { return false }
    guard proving else { return true }
    proofs += 1
    return unsafe !isExhausted && X509_verify(certificate, X509_get0_pubkey(issuer)) == 1
  }

  private func isValid(_ certificate: OpaquePointer) -> Bool {
    guard let from = unsafe CertificateTime.seconds(X509_get0_notBefore(certificate)),
      let until = unsafe CertificateTime.seconds(X509_get0_notAfter(certificate))
    else { return false }
    return from <= now && now <= until
  }
}
