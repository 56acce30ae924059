import AccessPolicy
import TLSEngine

/// Chains that cost as much as they can, of at most 64 KiB, as the Certificate message has them.
enum HostileChains {
  struct Made {
    var anchor: IssuedCertificate
    /// The client's own first.
    var presented: [IssuedCertificate]
  }

  static let all: [(String, @Sendable () throws -> Made)] = [
    ("an ordinary chain", { try chain(intermediates: 1) }),
    ("four intermediates, RSA-4096", { try chain(intermediates: 4) { $0.keyType = .rsa(4096) } }),
    ("20000 names of a leaf", { try chain { $0.alternativeNames = names(20_000) } }),
    ("3000 names of a leaf", { try chain { $0.alternativeNames = names(3_000) } }),
    ("names of a leaf that nobody issued", { try forged { $0.alternativeNames = names(20_000) } }),
    ("4000 attributes of a subject", { try forged { $0.subject = attributes(4_000) } }),
    ("4000 attributes in one set", { try forged { $0.subject = attributes(4_000, sameSet: true) } }),
    ("1000 constraints and 1000 names", { try constrained(1_000, names: 1_000) }),
    ("a CA's 2000 constraints and 2000 names", { try constrained(2_000, names: 2_000) }),
    ("4000 extensions", { try forged { $0.extensions = unknownExtensions(4_000) } }),
    ("policies that multiply", { try policies(100) }),
    ("many policies", { try policies(1_000) }),
    ("3000 distribution points", { try forged { $0.extensions = [points(3_000)] } }),
    ("10000 purposes", { try forged { $0.extendedKeyUsage = Array(repeating: "1.2.3.4", count: 10_000) } }),
  ]

  private static func authority(_ name: String) -> CertificateTemplate {
    .authority(name, notBefore: VerificationBenchmark.start, notAfter: VerificationBenchmark.end)
  }

  private static func client() -> CertificateTemplate {
    .client("worker", notBefore: VerificationBenchmark.start, notAfter: VerificationBenchmark.end)
  }

  /// A root, intermediates, a leaf; `change` is applied to all but the root.
  private static func chain(
    intermediates: Int = 0, _ change: (inout CertificateTemplate) -> Void = { _ in }
  ) throws -> Made {
    let root = try ThrowawayAuthority.selfSigned(authority("Root"))
    var issued: [IssuedCertificate] = []
    for index in 0..<intermediates {
      var template = authority("CA \(index)")
      change(&template)
      issued.append(try ThrowawayAuthority.issue(template, by: issued.last ?? root))
    }
    var leaf = client()
    change(&leaf)
    issued.append(try ThrowawayAuthority.issue(leaf, by: issued.last ?? root))
    return Made(anchor: root, presented: issued.reversed())
  }

  /// A leaf under the anchor's name and another key: what anybody can send.
  private static func forged(_ change: (inout CertificateTemplate) -> Void) throws -> Made {
    var made = try chain(change)
    made.anchor = try ThrowawayAuthority.selfSigned(authority("Root"))
    return made
  }

  private static func names(_ count: Int) -> [IssuedName] { (0..<count).map { _ in .dns("a") } }

  private static func attributes(_ count: Int, sameSet: Bool = false) -> [NameAttribute] {
    (0..<count).map { NameAttribute("2.5.4.3", .utf8, [UInt8(97 + $0 % 26)], sameSet: sameSet && $0 > 0) }
  }

  private static func constrained(_ count: Int, names: Int) throws -> Made {
    let root = try ThrowawayAuthority.selfSigned(authority("Root"))
    var template = authority("CA")
    let subtrees = (0..<count).flatMap { DER.sequence(DER.tagged(2, Array("x\($0).example".utf8))) }
    let excluded = DER.tagged(1, subtrees, constructed: true)
    template.extensions = [IssuedExtension("2.5.29.30", critical: true, DER.sequence(excluded))]
    let authority = try ThrowawayAuthority.issue(template, by: root)
    var leaf = client()
    leaf.alternativeNames = (0..<names).map { .dns("n\($0).other.example") }
    return Made(anchor: root, presented: [try ThrowawayAuthority.issue(leaf, by: authority), authority])
  }

  private static func unknownExtensions(_ count: Int) -> [IssuedExtension] {
    (0..<count).map { IssuedExtension("1.2.\($0)", [5, 0]) }
  }

  private static func points(_ count: Int) -> IssuedExtension {
    let point = DER.sequence(
      DER.tagged(
        0, DER.tagged(0, DER.tagged(6, Array("u".utf8)), constructed: true), constructed: true))
    return IssuedExtension("2.5.29.31", DER.element(0x30, (0..<count).flatMap { _ in point }))
  }

  /// Each CA maps each policy to several, as in CVE-2023-0464.
  private static func policies(_ count: Int) throws -> Made {
    let root = try ThrowawayAuthority.selfSigned(authority("Root"))
    var issued: [IssuedCertificate] = []
    func policy(_ level: Int, _ index: Int) -> [UInt8] { DER.identifier("1.2.3.\(level).\(index)") }
    for level in 0..<4 {
      var template = authority("CA \(level)")
      let list = (0..<count).flatMap { DER.sequence(policy(level, $0)) }
      let mappings = (0..<count).flatMap { index in
        DER.sequence(policy(level, index), policy(level + 1, (index + 1) % count))
          + DER.sequence(policy(level, index), policy(level + 1, (index + 7) % count))
      }
      template.extensions = [
        IssuedExtension("2.5.29.32", DER.element(0x30, list)),
        IssuedExtension("2.5.29.33", DER.element(0x30, mappings)),
        IssuedExtension("2.5.29.36", critical: true, DER.sequence(DER.tagged(0, [0]))),
      ]
      issued.append(try ThrowawayAuthority.issue(template, by: issued.last ?? root))
    }
    var leaf = client()
    let list = (0..<count).flatMap { DER.sequence(policy(4, $0)) }
    leaf.extensions = [IssuedExtension("2.5.29.32", DER.element(0x30, list))]
    issued.append(try ThrowawayAuthority.issue(leaf, by: issued.last))
    return Made(anchor: root, presented: issued.reversed())
  }
}
