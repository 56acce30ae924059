import AccessPolicy
import Testing

@testable import TLSEngine

/// A chain, what is trusted, and what must come of it.
struct VerificationCase: Sendable, CustomTestStringConvertible {
  struct Scene {
    /// What the client presents, its own certificate first.
    var chain: [IssuedCertificate]
    var anchors: [IssuedCertificate]
    var now = TestPKI.now
    var revocation = RevocationOptions()
  }

  var testDescription: String
  var reason: HandshakeReason?
  var code: String?
  var depth: Int?
  /// Whether OpenSSL gets to see the leaf.
  var isParsed = true
  var make: @Sendable () throws -> Scene

  static func accepted(_ name: String, _ make: @escaping @Sendable () throws -> Scene) -> Self {
    Self(testDescription: name, make: make)
  }

  static func refused(
    _ name: String, _ reason: HandshakeReason, _ code: String?, depth: Int? = 0,
    isParsed: Bool = true, _ make: @escaping @Sendable () throws -> Scene
  ) -> Self {
    Self(
      testDescription: name, reason: reason, code: code.map { "X509_V_ERR_" + $0 }, depth: depth,
      isParsed: isParsed, make: make)
  }

  /// A leaf of the shared authority, changed.
  static func leaf(
    at now: Timestamp = TestPKI.now, _ change: @escaping @Sendable (inout CertificateTemplate) -> Void
  ) -> @Sendable () throws -> Scene {
    { try Scene(chain: [TestPKI.client(change)], anchors: [TestPKI.shared.get().authority], now: now) }
  }

  /// A chain below a new root. Each template is issued by the one before it; the last one is the leaf.
  static func chain(
    _ templates: [CertificateTemplate], anchorAt: Int = 0, presentRoot: Bool = false
  ) -> @Sendable () throws -> Scene {
    {
      var issued: [IssuedCertificate] = []
      for template in templates { issued.append(try ThrowawayAuthority.issue(template, by: issued.last)) }
      let presented = presentRoot ? issued : Array(issued.dropFirst())
      return Scene(chain: presented.reversed(), anchors: [issued[anchorAt]])
    }
  }

  /// A root, so many intermediates, and a leaf.
  static func intermediates(_ count: Int) -> [CertificateTemplate] {
    [TestPKI.authority("Root")] + (0..<count).map { TestPKI.authority("Intermediate \($0)") }
      + [TestPKI.client("worker")]
  }

  static func changed(
    _ template: CertificateTemplate, _ change: (inout CertificateTemplate) -> Void
  ) -> CertificateTemplate {
    var template = template
    change(&template)
    return template
  }
}
