import AccessPolicy

@testable import TLSEngine

extension VerificationCases {
  private typealias Scene = RevocationScene

  static let revocation: [Case] = [
    .accepted("a CRL that does not list the leaf", Scene.leaf(revoked: false)),
    .accepted("the same, required", Scene.leaf(revoked: false, isRequired: true)),
    .refused("revoked", .certificateRevoked, "CERT_REVOKED", Scene.leaf(revoked: true)),
    .refused(
      "on hold", .certificateRevoked, "CERT_REVOKED", Scene.leaf(revoked: true) { $0.entries[0].reason = 6 }),
    .refused(
      "removeFromCRL, which only a delta may say", .certificateRevoked, "CERT_REVOKED",
      Scene.leaf(revoked: true) { $0.entries[0].reason = 8 }),
    .refused(
      "stale and revoked, stale allowed", .certificateRevoked, "CERT_REVOKED",
      Scene.leaf(revoked: true, stale: .allow, after: 7200)),
    .refused(
      "stale and revoked, stale denied", .certificateRevoked, "CERT_REVOKED",
      Scene.leaf(revoked: true, after: 7200)),
    .refused(
      "not yet valid and revoked", .certificateRevoked, "CERT_REVOKED",
      Scene.leaf(revoked: true, after: -7200)),
    .accepted("last second of a CRL", Scene.leaf(revoked: false, after: 3600)),
    .refused("stale", .crlStale, "CRL_HAS_EXPIRED", Scene.leaf(revoked: false, after: 3601)),
    .accepted("stale, allowed", Scene.leaf(revoked: false, stale: .allow, after: 86_400)),
    .accepted(
      "stale, allowed for long enough",
      Scene.leaf(revoked: false, stale: .allowFor(.seconds(60)), after: 3660)),
    .refused(
      "stale, allowed for too short a time", .crlStale, "CRL_HAS_EXPIRED",
      Scene.leaf(revoked: false, stale: .allowFor(.seconds(60)), after: 3661)),
    .accepted("first second of a CRL", Scene.leaf(revoked: false, after: -3600)),
    .refused(
      "before the first second", .crlStale, "CRL_NOT_YET_VALID", Scene.leaf(revoked: false, after: -3601)),
    .refused(
      "before the first second, stale allowed", .crlStale, "CRL_NOT_YET_VALID",
      Scene.leaf(revoked: false, stale: .allow, after: -3601)),
    .refused(
      "no nextUpdate", .crlStale, "CRL_HAS_EXPIRED", Scene.leaf(revoked: false) { $0.nextUpdate = nil }),
    .accepted(
      "no nextUpdate, stale allowed", Scene.leaf(revoked: false, stale: .allow) { $0.nextUpdate = nil }),
    .accepted(
      "no nextUpdate, stale allowed since thisUpdate",
      Scene.leaf(revoked: false, stale: .allowFor(.seconds(3600))) { $0.nextUpdate = nil }),
    .accepted("CA without a CRL") { try Scene().with() },
    .refused("CA without a CRL, required", .crlMissing, "UNABLE_TO_GET_CRL") {
      try Scene().with(isRequired: true)
    },
    .refused("CRL of the root only, required", .crlMissing, "UNABLE_TO_GET_CRL") {
      let made = try Scene(intermediates: 1)
      return try made.with(made.crl(Scene.template()), isRequired: true)
    },
    .refused("CRL of the intermediate only, required", .crlMissing, "UNABLE_TO_GET_CRL", depth: 1) {
      let made = try Scene(intermediates: 1)
      return try made.with(made.crl(Scene.template(), by: 1), isRequired: true)
    },
    .accepted("CRLs of every CA, required") {
      let made = try Scene(intermediates: 1)
      return try made.with(
        made.crl(Scene.template()), made.crl(Scene.template(), by: 1), isRequired: true)
    },
    .accepted("CRL of the intermediate only") {
      let made = try Scene(intermediates: 1)
      return try made.with(made.crl(Scene.template(), by: 1))
    },
    .refused("intermediate revoked", .certificateRevoked, "CERT_REVOKED", depth: 1) {
      let made = try Scene(intermediates: 1)
      return try made.with(made.crl(Scene.template(Scene.authoritySerial)))
    },
    .refused("stale CRL of the root above an intermediate", .crlStale, "CRL_HAS_EXPIRED", depth: 1) {
      let made = try Scene(intermediates: 1)
      return try made.with(
        made.crl(Scene.template()), made.crl(Scene.template { $0.nextUpdate = TestPKI.notAfter }, by: 1),
        after: 3601)
    },
    .refused("intermediate's CRL signed by another key", .crlMissing, "CRL_SIGNATURE_FAILURE") {
      let made = try Scene(intermediates: 1)
      return try made.with(made.crl(Scene.template(), by: 1, signedBy: made.issued[0]))
    },
    .refused("intermediate that may not sign CRLs", .crlMissing, "KEYUSAGE_NO_CRL_SIGN") {
      let made = try Scene(intermediates: 1) { $0[1].keyUsage = [.certificateSigning] }
      return try made.with(made.crl(Scene.template(), by: 1))
    },
    .accepted("intermediate without keyUsage signs CRLs") {
      let made = try Scene(intermediates: 1) { $0[1].keyUsage = nil }
      return try made.with(made.crl(Scene.template(), by: 1), isRequired: false)
    },
    .refused("anchor that its own issuer revoked", .certificateRevoked, "CERT_REVOKED", depth: 1) {
      let made = try Scene(intermediates: 1)
      var scene = try made.with(made.crl(Scene.template(Scene.authoritySerial)))
      scene.anchors = [made.issued[0], made.issued[1]]
      return scene
    },
    .accepted("anchor whose issuer's CRL is stale") {
      let made = try Scene(intermediates: 1)
      var scene = try made.with(
        made.crl(Scene.template()), made.crl(Scene.template { $0.nextUpdate = TestPKI.notAfter }, by: 1),
        after: 3601)
      scene.anchors = [made.issued[0], made.issued[1]]
      return scene
    },
    .accepted("hold that a newer CRL has lifted") {
      let made = try Scene()
      let older = Scene.template(Scene.leafSerial) {
        $0.thisUpdate = Timestamp(seconds: TestPKI.now.seconds - 7200)
      }
      return try made.with(made.crl(older), made.crl(Scene.template()))
    },
    .refused("revoked by the newer of two CRLs", .certificateRevoked, "CERT_REVOKED") {
      let made = try Scene()
      let older = Scene.template { $0.thisUpdate = Timestamp(seconds: TestPKI.now.seconds - 7200) }
      return try made.with(made.crl(Scene.template(Scene.leafSerial)), made.crl(older))
    },
    .refused("revoked by the CRL of the CA's new key", .certificateRevoked, "CERT_REVOKED") {
      let made = try Scene()
      let renewed = try ThrowawayAuthority.selfSigned(TestPKI.authority("Root"))
      var scene = try made.with(
        made.crl(Scene.template()), ThrowawayAuthority.revoke(Scene.template(Scene.leafSerial), by: renewed))
      scene.anchors.append(renewed)
      return scene
    },
    .accepted("negative serial number beside its absolute value") {
      let made = try Scene { $0[1].serialIsNegative = true }
      return try made.with(made.crl(Scene.template(Scene.leafSerial)))
    },
    .refused("RSA, SHA-512", .certificateRevoked, "CERT_REVOKED") {
      let made = try Scene { $0[0].keyType = .rsa(2048) }
      return try made.with(made.crl(Scene.template(Scene.leafSerial) { $0.digest = "SHA512" }))
    },
    .refused("Ed25519", .certificateRevoked, "CERT_REVOKED") {
      let made = try Scene { $0[0].keyType = .ed25519 }
      return try made.with(made.crl(Scene.template(Scene.leafSerial)))
    },
    .refused("in the second CRL of a PEM file", .certificateRevoked, "CERT_REVOKED") {
      let made = try Scene(intermediates: 1)
      let file =
        try Scene.pem(made.crl(Scene.template()))
        + Scene.pem(
          made.crl(Scene.template(Scene.leafSerial), by: 1))
      return made.with(file)
    },
  ]

  static let revocationScopes: [Case] = [
    .refused("users only", .certificateRevoked, "CERT_REVOKED", scoped(DER.tagged(1, [0xff]))),
    .refused("users only, above a CA", .crlMissing, "DIFFERENT_CRL_SCOPE", depth: 1) {
      let made = try Scene(intermediates: 1)
      return try made.with(made.crl(Scene.template { $0.extensions = [scope(DER.tagged(1, [0xff]))] }))
    },
    .refused("CAs only", .crlMissing, "DIFFERENT_CRL_SCOPE", scoped(DER.tagged(2, [0xff]))),
    .refused("CAs only, above a CA", .certificateRevoked, "CERT_REVOKED", depth: 1) {
      let made = try Scene(intermediates: 1)
      return try made.with(
        made.crl(Scene.template(Scene.authoritySerial) { $0.extensions = [scope(DER.tagged(2, [0xff]))] }))
    },
    .refused(
      "partition", .certificateRevoked, "CERT_REVOKED", partition("http://crl.example/1", revoked: true)),
    .accepted("partition, not listed", partition("http://crl.example/1", revoked: false)),
    .refused(
      "another partition", .crlMissing, "DIFFERENT_CRL_SCOPE",
      partition("http://crl.example/2", revoked: true)),
    .refused(
      "partition, and a certificate that names none", .crlMissing, "DIFFERENT_CRL_SCOPE",
      partition("http://crl.example/1", revoked: true, points: [])),
    .refused(
      "partition that a certificate names for some reasons", .crlMissing, "DIFFERENT_CRL_SCOPE",
      partition(
        "http://crl.example/1", revoked: true,
        points: [DER.sequence(fullName(uri("http://crl.example/1")), DER.tagged(1, [5, 0x60]))])),
    .refused(
      "partition of another issuer", .crlMissing, "DIFFERENT_CRL_SCOPE",
      partition(
        "http://crl.example/1", revoked: true,
        points: [
          DER.sequence(
            fullName(uri("http://crl.example/1")),
            DER.tagged(2, DER.tagged(4, DER.sequence(), constructed: true), constructed: true))
        ])),
    .refused(
      "second name of the second partition", .certificateRevoked, "CERT_REVOKED",
      partition(
        "http://crl.example/1", revoked: true,
        points: [
          DER.sequence(fullName(uri("http://crl.example/9"))),
          DER.sequence(fullName(uri("http://crl.example/8") + uri("http://crl.example/1"))),
        ])),
    .refused("partition by a relative name", .certificateRevoked, "CERT_REVOKED") {
      let relative = DER.tagged(
        0, DER.tagged(1, DER.sequence(DER.identifier("2.5.4.3"), DER.utf8("CRL1")), constructed: true),
        constructed: true)
      let directory = DER.tagged(
        4,
        DER.element(
          0x30,
          ["Root", "CRL1"].flatMap {
            DER.element(0x31, DER.sequence(DER.identifier("2.5.4.3"), DER.utf8($0)))
          }),
        constructed: true)
      return try partitioned(
        names: relative, points: [DER.sequence(fullName(directory))], revoked: true)
    },
    .refused("both partitions there, revoked in the other's", .certificateRevoked, "CERT_REVOKED") {
      let made = try Scene {
        $0[1].extensions = [points([DER.sequence(fullName(uri("http://crl.example/2")))])]
      }
      func crl(_ name: String, _ serial: [UInt8]) throws -> [UInt8] {
        try made.crl(Scene.template(serial) { $0.extensions = [scope(fullName(uri(name)))] })
      }
      return try made.with(crl("http://crl.example/1", [1]), crl("http://crl.example/2", Scene.leafSerial))
    },
  ]

  private static func scope(_ content: [UInt8]) -> IssuedExtension {
    IssuedExtension("2.5.29.28", critical: true, DER.sequence(content))
  }

  private static func uri(_ text: String) -> [UInt8] { DER.tagged(6, Array(text.utf8)) }

  /// distributionPoint [0] { fullName [0] names }
  private static func fullName(_ names: [UInt8]) -> [UInt8] {
    DER.tagged(0, DER.tagged(0, names, constructed: true), constructed: true)
  }

  private static func points(_ points: [[UInt8]]) -> IssuedExtension {
    IssuedExtension("2.5.29.31", DER.element(0x30, points.flatMap { $0 }))
  }

  /// The leaf, revoked in a CRL of this scope.
  private static func scoped(_ content: [UInt8]) -> @Sendable () throws -> Case.Scene {
    {
      let made = try Scene()
      return try made.with(made.crl(Scene.template(Scene.leafSerial) { $0.extensions = [scope(content)] }))
    }
  }

  private static func partition(
    _ name: String, revoked: Bool, points: [[UInt8]] = [DER.sequence(fullName(uri("http://crl.example/1")))]
  ) -> @Sendable () throws -> Case.Scene {
    { try partitioned(names: fullName(uri(name)), points: points, revoked: revoked) }
  }

  private static func partitioned(names: [UInt8], points: [[UInt8]], revoked: Bool) throws -> Case.Scene {
    let made = try Scene { if !points.isEmpty { $0[1].extensions = [Self.points(points)] } }
    let crl = try made.crl(
      Scene.template(revoked ? Scene.leafSerial : [1]) { $0.extensions = [scope(names)] })
    return made.with(crl)
  }
}
