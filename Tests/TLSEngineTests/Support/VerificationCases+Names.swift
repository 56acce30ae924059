import AccessPolicy

@testable import TLSEngine

/// Name constraints of every type, permitted and excluded, and paths that branch.
extension VerificationCases {
  /// What a CA may be constrained to, a name within and a name outside.
  private struct Kind: Sendable {
    var name: String
    var subtree: [UInt8]
    var within: IssuedName
    var outside: IssuedName
  }

  private static let kinds = [
    Kind(
      name: "DNS", subtree: DER.tagged(2, Array("allowed.example".utf8)), within: .dns("a.allowed.example"),
      outside: .dns("a.notallowed.example")),
    Kind(
      name: "e-mail host", subtree: DER.tagged(1, Array("allowed.example".utf8)),
      within: .email("a@allowed.example"), outside: .email("a@b.allowed.example")),
    Kind(
      name: "e-mail address", subtree: DER.tagged(1, Array("a@allowed.example".utf8)),
      within: .email("a@allowed.example"), outside: .email("b@allowed.example")),
    Kind(
      name: "URI host", subtree: DER.tagged(6, Array("allowed.example".utf8)),
      within: .uri("spiffe://allowed.example/worker"), outside: .uri("spiffe://b.allowed.example/worker")),
    Kind(
      name: "URI domain", subtree: DER.tagged(6, Array(".allowed.example".utf8)),
      within: .uri("spiffe://b.allowed.example/worker"), outside: .uri("spiffe://allowed.example/worker")),
    Kind(
      name: "IPv4", subtree: DER.tagged(7, [10, 0, 0, 0, 255, 0, 0, 0]), within: .ip([10, 1, 2, 3]),
      outside: .ip([11, 1, 2, 3])),
    Kind(
      name: "IPv6",
      subtree: DER.tagged(
        7,
        [0x20, 1] + [UInt8](repeating: 0, count: 14) + [255, 255]
          + [UInt8](repeating: 0, count: 14)), within: .ip([0x20, 1] + [UInt8](repeating: 7, count: 14)),
      outside: .ip([0x20, 2] + [UInt8](repeating: 7, count: 14))),
    Kind(
      name: "directory name", subtree: directory("Acme"), within: .raw(directory("Acme", "b")),
      outside: .raw(directory("Other", "b"))),
  ]

  static let nameConstraints: [Case] =
    kinds.flatMap { kind -> [Case] in
      [
        .accepted("\(kind.name) within the permitted", constrained(kind.subtree, 0, kind.within)),
        .refused(
          "\(kind.name) outside the permitted", .certificateInvalid, "PERMITTED_VIOLATION",
          constrained(kind.subtree, 0, kind.outside)),
        .refused(
          "\(kind.name) within the excluded", .certificateInvalid, "EXCLUDED_VIOLATION",
          constrained(kind.subtree, 1, kind.within)),
        .accepted("\(kind.name) outside the excluded", constrained(kind.subtree, 1, kind.outside)),
      ]
    } + [
      .refused(
        "subject outside the permitted directory", .certificateInvalid, "PERMITTED_VIOLATION",
        constrained(directory("Acme"), 0, .dns("a"), subject: "Other")),
      .refused(
        "type that OpenSSL does not compare", .certificateInvalid, "UNSUPPORTED_CONSTRAINT_TYPE",
        constrained(DER.tagged(8, [0x2a, 3]), 0, .raw(DER.tagged(8, [0x2a, 3])))),
      .refused(
        "minimum", .certificateInvalid, "SUBTREE_MINMAX",
        constrained(DER.tagged(2, Array("a".utf8)) + DER.tagged(0, [1]), 0, .dns("a"))),
      .refused("constraints of a CA further up", .certificateInvalid, "EXCLUDED_VIOLATION") {
        var templates = Case.intermediates(2)
        templates[1].extensions = [nameConstraint(DER.tagged(2, Array("a".utf8)), 1)]
        templates[3].alternativeNames = [.dns("b.a")]
        return try Case.chain(templates)()
      },
    ]

  static let paths: [Case] = [
    .accepted("CA certified by our root and by a strange one", twins(expired: false, reversed: true)),
    // OpenSSL follows the first certificate that fits, and looks for another way among the anchors alone.
    .refused(
      "CA certified by our root and by a strange one, which comes first", .certificateUntrusted,
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", depth: 1, twins(expired: false)),
    .accepted("expired CA certificate beside a valid one", twins(expired: true)),
    .accepted("valid CA certificate beside an expired one", twins(expired: true, reversed: true)),
    .refused("pathlen 0 of the anchor", .certificateInvalid, "PATH_LENGTH_EXCEEDED", depth: 2) {
      var templates = Case.intermediates(1)
      templates[0].pathLength = 0
      return try Case.chain(templates)()
    },
    .refused(
      "unknown critical extension of a CA", .certificateInvalid, "UNHANDLED_CRITICAL_EXTENSION", depth: 1
    ) {
      var templates = Case.intermediates(1)
      templates[1].extensions = [IssuedExtension("1.2.3.4.5", critical: true, DER.utf8("?"))]
      return try Case.chain(templates)()
    },
    .refused("CA for e-mail", .certificatePurpose, "INVALID_PURPOSE", depth: 1) {
      var templates = Case.intermediates(1)
      templates[1].extendedKeyUsage = ["1.3.6.1.5.5.7.3.4"]
      return try Case.chain(templates)()
    },
    .accepted("CA for clients") {
      var templates = Case.intermediates(1)
      templates[1].extendedKeyUsage = [CertificateTemplate.clientAuth]
      return try Case.chain(templates)()
    },
  ]

  private static func directory(_ organization: String, _ name: String? = nil) -> [UInt8] {
    let sets = [("2.5.4.10", organization)] + (name.map { [("2.5.4.3", $0)] } ?? [])
    let sequence = sets.flatMap { DER.element(0x31, DER.sequence(DER.identifier($0.0), DER.utf8($0.1))) }
    return DER.tagged(4, DER.element(0x30, sequence), constructed: true)
  }

  /// - Parameter tag: 0 permits, 1 excludes.
  private static func nameConstraint(_ subtree: [UInt8], _ tag: UInt8) -> IssuedExtension {
    IssuedExtension(
      "2.5.29.30", critical: true,
      DER.sequence(DER.tagged(tag, DER.sequence(subtree), constructed: true)))
  }

  private static func constrained(
    _ subtree: [UInt8], _ tag: UInt8, _ name: IssuedName, subject: String? = nil
  ) -> @Sendable () throws -> Case.Scene {
    {
      var templates = Case.intermediates(1)
      templates[1].extensions = [nameConstraint(subtree, tag)]
      templates[2].subject = subject.map { [.organization($0)] } ?? []
      templates[2].alternativeNames = [name]
      return try Case.chain(templates)()
    }
  }

  /// A CA with one key and two certificates: one that leads nowhere, and one of our root.
  private static func twins(expired: Bool, reversed: Bool = false) -> @Sendable () throws -> Case.Scene {
    {
      let root = try ThrowawayAuthority.selfSigned(TestPKI.authority("Root"))
      let strange = try ThrowawayAuthority.selfSigned(TestPKI.authority("Strange"))
      let first = try ThrowawayAuthority.issue(
        Case.changed(TestPKI.authority("CA")) {
          if expired { $0.notAfter = Timestamp(seconds: TestPKI.now.seconds - 1) }
        }, by: expired ? root : strange)
      let second = try ThrowawayAuthority.issue(
        Case.changed(TestPKI.authority("CA")) {
          $0.publicKey = first.publicKey
          $0.omitsKeyIdentifiers = true
        }, by: root)
      let leaf = try ThrowawayAuthority.issue(TestPKI.client("worker"), by: first)
      return Case.Scene(chain: [leaf] + (reversed ? [second, first] : [first, second]), anchors: [root])
    }
  }
}
