package import AccessPolicy
import COpenSSL

/// Certificates as a client presents them: its own first, then whatever it adds, in its order.
@safe
package struct PresentedChain: Sendable {
  /// The client's own certificate.
  package let leaf: Certificate
  /// What it adds, in its order.
  package let others: [Certificate]

  /// A chain of certificates in hand.
  package init(leaf: Certificate, others: [Certificate] = []) {
    self.leaf = leaf
    self.others = others
  }

  /// What a file held that was said to be a chain.
  package enum Reading: Sendable {
    case chain(PresentedChain)
    /// There is no PEM certificate in it.
    case noCertificate
    /// A PEM certificate in it cannot be parsed, or is not even parsed: a client that sends it is refused so.
    case refused(HandshakeFailure)
  }

  /// Reads the certificates of a PEM file; other blocks are passed over.
  package static func read(pem: [UInt8]) -> Reading {
    guard let blocks = PEMReader.blocks(pem) else {
      return .refused(.malformedCertificate("the PEM text of a certificate is broken", depth: nil))
    }
    var certificates: [Certificate] = []
    let presented = blocks.filter(\.isCertificate)
    if let refusal = CertificateScreen.refusal(of: presented.map(\.bytes)) { return .refused(refusal) }
    for block in presented {
      guard let certificate = Certificate(der: block.bytes) else {
        return .refused(
          .malformedCertificate("OpenSSL cannot parse the certificate", depth: certificates.count))
      }
      certificates.append(certificate)
    }
    guard let leaf = certificates.first else { return .noCertificate }
    return .chain(PresentedChain(leaf: leaf, others: Array(certificates.dropFirst())))
  }

  /// What the leaf says of itself, verified or not.
  package var facts: Facts { PeerCertificate.facts(leaf) }
}
