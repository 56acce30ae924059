import AccessPolicy

@testable import TLSEngine

extension VerificationCases {
  static let strength: [Case] = [
    .accepted("RSA-2048", Case.leaf { $0.keyType = .rsa(2048) }),
    .accepted("P-384", Case.leaf { $0.keyType = .p384 }),
    .accepted("Ed25519", Case.leaf { $0.keyType = .ed25519 }),
    .refused("RSA-1024", .keyTooWeak, "EE_KEY_TOO_SMALL", Case.leaf { $0.keyType = .rsa(1024) }),
    .refused("CA with RSA-1024", .keyTooWeak, "CA_KEY_TOO_SMALL", depth: 1) {
      var templates = Case.intermediates(1)
      templates[1].keyType = .rsa(1024)
      return try Case.chain(templates)()
    },
    .refused("SHA-1 signature", .keyTooWeak, "CA_MD_TOO_WEAK", Case.leaf { $0.digest = "SHA1" }),
    .refused("huge RSA key among those presented", .certificateInvalid, "APPLICATION_VERIFICATION", depth: 1)
    {
      let shared = try TestPKI.shared.get()
      let huge = try ThrowawayAuthority.issue(
        Case.changed(TestPKI.authority("Huge")) { $0.publicKey = rsaPublicKey(bits: 8200) },
        by: shared.authority)
      return Case.Scene(chain: [shared.client, huge], anchors: [shared.authority])
    },
    .accepted("RSA-8192 among those presented") {
      let shared = try TestPKI.shared.get()
      let large = try ThrowawayAuthority.issue(
        Case.changed(TestPKI.authority("Large")) { $0.publicKey = rsaPublicKey(bits: 8192) },
        by: shared.authority)
      return Case.Scene(chain: [shared.client, large], anchors: [shared.authority])
    },
  ]

  static let screened: [Case] = [
    .refused("curve without a name", .certificateMalformed, "EC_KEY_EXPLICIT_PARAMS", depth: 1) {
      let shared = try TestPKI.shared.get()
      let unnamed = try ThrowawayAuthority.issue(
        Case.changed(TestPKI.authority("Unnamed")) { $0.publicKey = explicitP256 }, by: shared.authority)
      return Case.Scene(chain: [shared.client, unnamed], anchors: [shared.authority])
    },
    .refused("too many names", .certificateInvalid, "APPLICATION_VERIFICATION", isParsed: false, named(1000)),
    .accepted("as many names as are read", named(900)),
    .refused("too many attributes", .certificateInvalid, "APPLICATION_VERIFICATION", isParsed: false) {
      let leaf = try TestPKI.client {
        $0.subject = (0..<250).map { _ in NameAttribute("2.5.4.11", .utf8, [97]) }
      }
      return Case.Scene(chain: [leaf], anchors: [try TestPKI.shared.get().authority])
    },
    .refused("too deep", .certificateInvalid, "APPLICATION_VERIFICATION", isParsed: false) {
      let deep = (0..<40).reduce([UInt8]()) { inner, _ in DER.element(0x30, inner) }
      let leaf = try TestPKI.client { $0.extensions = [IssuedExtension("1.2.3", deep)] }
      return Case.Scene(chain: [leaf], anchors: [try TestPKI.shared.get().authority])
    },
    .refused(
      "more names times constraints than are compared", .certificateInvalid, "APPLICATION_VERIFICATION",
      depth: nil, compared(names: 300, constraints: 220)),
    .accepted("names times constraints", compared(names: 300, constraints: 200)),
    .refused(
      "more policies than are read", .certificateInvalid, "APPLICATION_VERIFICATION", depth: nil,
      mapped(51)),
    .accepted("as many policies as are read", mapped(50)),
    .refused("RSA exponent of 72 bits", .certificateInvalid, "APPLICATION_VERIFICATION", depth: 1) {
      let shared = try TestPKI.shared.get()
      let odd = try ThrowawayAuthority.issue(
        Case.changed(TestPKI.authority("Odd")) {
          $0.publicKey = rsaPublicKey(bits: 2048, exponent: [1] + [UInt8](repeating: 1, count: 8))
        }, by: shared.authority)
      return Case.Scene(chain: [shared.client, odd], anchors: [shared.authority])
    },
  ]

  private static func named(_ count: Int) -> @Sendable () throws -> Case.Scene {
    Case.leaf { $0.alternativeNames = (0..<count).map { _ in .dns("a") } }
  }

  private static func compared(names: Int, constraints: Int) -> @Sendable () throws -> Case.Scene {
    {
      let subtrees = (0..<constraints).flatMap { DER.sequence(DER.tagged(2, Array("x\($0)".utf8))) }
      var templates = Case.intermediates(1)
      templates[1].extensions = [
        IssuedExtension("2.5.29.30", critical: true, DER.sequence(DER.tagged(1, subtrees, constructed: true)))
      ]
      templates[2].alternativeNames = (0..<names).map { .dns("n\($0)") }
      return try Case.chain(templates)()
    }
  }

  /// Two CAs with so many policies and as many mappings each.
  private static func mapped(_ count: Int) -> @Sendable () throws -> Case.Scene {
    {
      var templates = Case.intermediates(2)
      for level in 1...2 {
        func policy(_ level: Int, _ index: Int) -> [UInt8] { DER.identifier("1.2.3.\(level).\(index)") }
        templates[level].extensions = [
          IssuedExtension(
            "2.5.29.32", DER.element(0x30, (0..<count).flatMap { DER.sequence(policy(level, $0)) })),
          IssuedExtension(
            "2.5.29.33",
            DER.element(0x30, (0..<count).flatMap { DER.sequence(policy(level, $0), policy(level + 1, $0)) })),
        ]
      }
      return try Case.chain(templates)()
    }
  }

  static let constraints: [Case] = [
    .accepted("name constraints kept", constrained(permitted: "allowed.example", leaf: "a.allowed.example")),
    .refused(
      "name outside the permitted", .certificateInvalid, "PERMITTED_VIOLATION",
      constrained(permitted: "allowed.example", leaf: "a.other.example")),
    .refused(
      "name within the excluded", .certificateInvalid, "EXCLUDED_VIOLATION",
      constrained(excluded: "secret.example", leaf: "a.secret.example")),
    .refused(
      "unknown critical extension", .certificateInvalid, "UNHANDLED_CRITICAL_EXTENSION",
      Case.leaf { $0.extensions = [IssuedExtension("1.2.3.4.5", critical: true, DER.utf8("?"))] }),
    .accepted(
      "unknown extension, not critical",
      Case.leaf { $0.extensions = [IssuedExtension("1.2.3.4.5", DER.utf8("?"))] }),
    .refused("explicit policy required, none there", .certificateInvalid, "NO_EXPLICIT_POLICY", depth: nil) {
      var templates = Case.intermediates(1)
      templates[1].extensions = [requireExplicitPolicy, policies("1.2.3.4")]
      return try Case.chain(templates)()
    },
    .accepted("explicit policy required and there") {
      var templates = Case.intermediates(1)
      templates[1].extensions = [requireExplicitPolicy, policies("1.2.3.4")]
      templates[2].extensions = [policies("1.2.3.4")]
      return try Case.chain(templates)()
    },
    .refused("anyPolicy inhibited", .certificateInvalid, "NO_EXPLICIT_POLICY", depth: nil) {
      var templates = Case.intermediates(1)
      let inhibitAnyPolicy = IssuedExtension("2.5.29.54", critical: true, DER.integer(0))
      templates[1].extensions = [requireExplicitPolicy, policies("1.2.3.4"), inhibitAnyPolicy]
      templates[2].extensions = [policies("2.5.29.32.0")]
      return try Case.chain(templates)()
    },
  ]

  private static let requireExplicitPolicy = IssuedExtension(
    "2.5.29.36", critical: true, DER.sequence(DER.tagged(0, [0])))

  private static func policies(_ identifier: String) -> IssuedExtension {
    IssuedExtension("2.5.29.32", DER.sequence(DER.sequence(DER.identifier(identifier))))
  }

  private static func constrained(
    permitted: String? = nil, excluded: String? = nil, leaf: String
  ) -> @Sendable () throws -> Case.Scene {
    {
      let subtrees = [permitted, excluded].enumerated().flatMap { index, name -> [UInt8] in
        guard let name else { return [] }
        return DER.tagged(UInt8(index), DER.sequence(DER.tagged(2, Array(name.utf8))), constructed: true)
      }
      var templates = Case.intermediates(1)
      templates[1].extensions = [IssuedExtension("2.5.29.30", critical: true, DER.element(0x30, subtrees))]
      templates[2].alternativeNames = [.dns(leaf)]
      return try Case.chain(templates)()
    }
  }

  /// A SubjectPublicKeyInfo of a number that looks like a modulus.
  static func rsaPublicKey(bits: Int, exponent: [UInt8] = [1, 0, 1]) -> [UInt8] {
    let modulus = [0, 0x80 | UInt8(1)] + [UInt8](repeating: 0x5b, count: bits / 8 - 1)
    let key = DER.sequence(DER.element(0x02, modulus), DER.element(0x02, exponent))
    let algorithm = DER.sequence(DER.identifier("1.2.840.113549.1.1.1"), DER.element(0x05, []))
    return DER.sequence(algorithm, DER.element(0x03, [0] + key))
  }

  /// A SubjectPublicKeyInfo on P-256, with the curve's parameters in place of its name (SEC 1 C.2).
  private static var explicitP256: [UInt8] {
    func number(_ hexadecimal: String) -> [UInt8] {
      let digits = Array(hexadecimal.utf8)
      return stride(from: 0, to: digits.count, by: 2).compactMap {
        UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
      }
    }
    let prime = number("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")
    let a = number("ffffffff00000001000000000000000000000000fffffffffffffffffffffffc")
    let b = number("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b")
    let point =
      number("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296")
      + number("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
    let order = number("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
    let field = DER.sequence(DER.identifier("1.2.840.10045.1.1"), DER.element(0x02, [0] + prime))
    let parameters = DER.sequence(
      DER.integer(1), field, DER.sequence(DER.octets(a), DER.octets(b)), DER.octets(point),
      DER.element(0x02, [0] + order), DER.integer(1))
    let algorithm = DER.sequence(DER.identifier("1.2.840.10045.2.1"), parameters)
    return DER.sequence(algorithm, DER.element(0x03, [0] + point))
  }
}
