import COpenSSL

/// A certificate that chains may end in.
package struct TrustAnchor: Sendable {
  /// The certificate, of a CA or not.
  package let certificate: Certificate
  /// The label of its bundle.
  package let label: String?
  /// Which bundle it stands in, from 0.
  package let file: Int
}

/// All anchors of one verifier, each once.
struct LabelledAnchors {
  private(set) var all: [TrustAnchor] = []
  /// By the hash of their public keys: anchors of one name and key are one CA, whatever else differs.
  private var byKey: [String: [TrustAnchor]] = [:]

  /// - Throws: where a chain could end under two labels because a CA stands under both.
  init(_ bundles: [TrustBundleFile]) throws(TLSConfigurationError) {
    for (position, bundle) in bundles.enumerated() {
      let certificates: [Certificate]
      do throws(TLSConfigurationError) {
        certificates = try TrustBundle.certificates(bundle.pem)
      } catch {
        throw error.of(file: position)
      }
      for certificate in certificates {
        try add(TrustAnchor(certificate: certificate, label: bundle.label, file: position))
      }
    }
  }

  private mutating func add(_ anchor: TrustAnchor) throws(TLSConfigurationError) {
    let pointer = unsafe anchor.certificate.pointer
    let key = unsafe CertificateBytes.publicKeySHA256(pointer) ?? ""
    let twins = (byKey[key] ?? []).filter {
      unsafe X509_NAME_cmp(
        X509_get_subject_name($0.certificate.pointer), X509_get_subject_name(pointer)) == 0
    }
    if let other = twins.first(where: { $0.label != anchor.label }) {
      throw TLSConfigurationError(
        .clientCA, "ambiguous-label",
        "the CA \(anchor.certificate.subject) stands here \(Self.under(anchor.label)) and in another file "
          + Self.under(other.label),
        hint: "keep it in one of them: the label says which CA vouches for a client, and it has one"
      ).of(file: anchor.file)
    }
    if twins.contains(where: { unsafe X509_cmp($0.certificate.pointer, pointer) == 0 }) { return }
    byKey[key, default: []].append(anchor)
    all.append(anchor)
  }

  static func under(_ label: String?) -> String {
    label.map { "under the label \"\($0)\"" } ?? "without a label"
  }
}
