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
  static func rsaPublicKey(bits: Int) -> [UInt8] {
    let modulus = [0, 0x80 | UInt8(1)] + [UInt8](repeating: 0x5b, count: bits / 8 - 1)
    let key = DER.sequence(DER.element(0x02, modulus), DER.element(0x02, [1, 0, 1]))
    let algorithm = DER.sequence(DER.identifier("1.2.840.113549.1.1.1"), DER.element(0x05, []))
    return DER.sequence(algorithm, DER.element(0x03, [0] + key))
  }
}
