import AccessPolicy

@testable import TLSEngine

enum VerificationCases {
  typealias Case = VerificationCase

  static let trust: [Case] = [
    .accepted("issued by the anchor", Case.leaf { _ in }),
    .accepted("root presented, too", Case.chain(Case.intermediates(1), presentRoot: true)),
    .accepted("the same certificates twice") {
      let shared = try TestPKI.shared.get()
      return Case.Scene(
        chain: [shared.client, shared.authority, shared.client, shared.authority], anchors: [shared.authority]
      )
    },
    .accepted("leaf itself is an anchor") {
      let leaf = try ThrowawayAuthority.selfSigned(TestPKI.client("pinned"))
      return Case.Scene(chain: [leaf], anchors: [leaf])
    },
    .accepted("intermediate is an anchor", Case.chain(Case.intermediates(1), anchorAt: 1)),
    .refused("self-signed", .certificateUntrusted, "DEPTH_ZERO_SELF_SIGNED_CERT") {
      let leaf = try ThrowawayAuthority.selfSigned(TestPKI.client("stranger"))
      return Case.Scene(chain: [leaf], anchors: [try TestPKI.shared.get().authority])
    },
    .refused("another CA", .certificateUntrusted, "UNABLE_TO_GET_ISSUER_CERT_LOCALLY") {
      var scene = try Case.chain(Case.intermediates(0))()
      scene.anchors = [try TestPKI.shared.get().authority]
      return scene
    },
    .refused("another CA, presented", .certificateUntrusted, "SELF_SIGNED_CERT_IN_CHAIN", depth: 1) {
      var scene = try Case.chain(Case.intermediates(0), presentRoot: true)()
      scene.anchors = [try TestPKI.shared.get().authority]
      return scene
    },
    .refused("another CA of the same name", .certificateUntrusted, "CERT_SIGNATURE_FAILURE") {
      let twin = Case.changed(TestPKI.authority("Twin")) { $0.omitsKeyIdentifiers = true }
      let leaf = Case.changed(TestPKI.client("worker")) { $0.omitsKeyIdentifiers = true }
      let issuer = try ThrowawayAuthority.selfSigned(twin)
      return Case.Scene(
        chain: [try ThrowawayAuthority.issue(leaf, by: issuer)],
        anchors: [try ThrowawayAuthority.selfSigned(twin)])
    },
    .refused("intermediate not presented", .certificateUntrusted, "UNABLE_TO_GET_ISSUER_CERT_LOCALLY") {
      var scene = try Case.chain(Case.intermediates(1))()
      scene.chain.removeLast()
      return scene
    },
  ]

  static let time: [Case] = [
    .accepted("first second", Case.leaf(at: TestPKI.now) { $0.notBefore = TestPKI.now }),
    .accepted("last second", Case.leaf(at: TestPKI.now) { $0.notAfter = TestPKI.now }),
    .accepted(
      "last second has fractions",
      Case.leaf(at: Timestamp(nanoseconds: TestPKI.now.nanoseconds + 999_999_999)) {
        $0.notAfter = TestPKI.now
      }),
    .accepted("last second of every certificate") {
      let last = TestPKI.now
      let templates = Case.intermediates(1).map { Case.changed($0) { $0.notAfter = last } }
      return try Case.chain(templates)()
    },
    .refused(
      "one second over", .certificateExpired, "CERT_HAS_EXPIRED",
      Case.leaf(at: Timestamp(seconds: TestPKI.now.seconds + 1)) { $0.notAfter = TestPKI.now }),
    .refused(
      "one second early", .certificateNotYetValid, "CERT_NOT_YET_VALID",
      Case.leaf(at: Timestamp(nanoseconds: TestPKI.now.nanoseconds - 1)) { $0.notBefore = TestPKI.now }),
    .refused("expired intermediate", .certificateExpired, "CERT_HAS_EXPIRED", depth: 1) {
      var templates = Case.intermediates(1)
      templates[1].notAfter = Timestamp(seconds: TestPKI.now.seconds - 1)
      return try Case.chain(templates)()
    },
    .refused("expired anchor", .certificateExpired, "CERT_HAS_EXPIRED", depth: 1) {
      var templates = Case.intermediates(0)
      templates[0].notAfter = Timestamp(seconds: TestPKI.now.seconds - 1)
      return try Case.chain(templates)()
    },
    .refused("last second of the leaf, expired anchor", .certificateExpired, "CERT_HAS_EXPIRED", depth: 1) {
      var templates = Case.intermediates(0)
      templates[0].notAfter = Timestamp(seconds: TestPKI.now.seconds - 1)
      templates[1].notAfter = TestPKI.now
      return try Case.chain(templates)()
    },
  ]

  static let purpose: [Case] = [
    .accepted("no extendedKeyUsage", Case.leaf { $0.extendedKeyUsage = nil }),
    .accepted(
      "clientAuth among others",
      Case.leaf { $0.extendedKeyUsage = [CertificateTemplate.serverAuth, CertificateTemplate.clientAuth] }),
    .refused(
      "serverAuth alone", .certificatePurpose, "INVALID_PURPOSE",
      Case.leaf { $0.extendedKeyUsage = [CertificateTemplate.serverAuth] }),
    .refused(
      "anyExtendedKeyUsage alone", .certificatePurpose, "INVALID_PURPOSE",
      Case.leaf { $0.extendedKeyUsage = [CertificateTemplate.anyExtendedKeyUsage] }),
    .refused("intermediate for servers", .certificatePurpose, "INVALID_PURPOSE", depth: 1) {
      var templates = Case.intermediates(1)
      templates[1].extendedKeyUsage = [CertificateTemplate.serverAuth]
      return try Case.chain(templates)()
    },
    .accepted("no keyUsage", Case.leaf { $0.keyUsage = nil }),
    .accepted("keyAgreement alone, as OpenSSL does", Case.leaf { $0.keyUsage = [.keyAgreement] }),
    .refused(
      "keyEncipherment alone", .certificatePurpose, "INVALID_PURPOSE",
      Case.leaf { $0.keyUsage = [.keyEncipherment] }),
    .accepted(
      "a CA that may sign handshakes",
      Case.leaf {
        $0.isCA = true; $0.keyUsage = [.digitalSignature]
      }),
    .refused(
      "a CA that may sign certificates only", .certificatePurpose, "INVALID_PURPOSE",
      Case.leaf {
        $0.isCA = true
        $0.keyUsage = [.certificateSigning]
        $0.extendedKeyUsage = nil
      }),
  ]

  static let structure: [Case] = [
    .accepted("four intermediates", Case.chain(Case.intermediates(4))),
    .accepted("four intermediates and the root", Case.chain(Case.intermediates(4), presentRoot: true)),
    .refused(
      "five intermediates", .chainTooLong, "CERT_CHAIN_TOO_LONG", depth: 5, Case.chain(Case.intermediates(5))),
    .accepted("five intermediates, the second is an anchor", Case.chain(Case.intermediates(5), anchorAt: 1)),
    .refused("more certificates than are read", .chainTooLong, "CERT_CHAIN_TOO_LONG", depth: nil) {
      let shared = try TestPKI.shared.get()
      return Case.Scene(
        chain: [shared.client] + Array(repeating: shared.authority, count: 10), anchors: [shared.authority])
    },
    .accepted("as many certificates as are read") {
      let shared = try TestPKI.shared.get()
      return Case.Scene(
        chain: [shared.client] + Array(repeating: shared.authority, count: 9), anchors: [shared.authority])
    },
    .refused("leaf signs leaf", .certificateInvalid, "INVALID_CA", depth: 1) {
      let shared = try TestPKI.shared.get()
      let leaf = try ThrowawayAuthority.issue(TestPKI.client("forged"), by: shared.client)
      return Case.Scene(chain: [leaf, shared.client], anchors: [shared.authority])
    },
    .refused("leaf without basicConstraints signs leaf", .certificateInvalid, "INVALID_CA", depth: 1) {
      let signer = try TestPKI.client { $0.isCA = nil }
      let leaf = try ThrowawayAuthority.issue(TestPKI.client("forged"), by: signer)
      return Case.Scene(chain: [leaf, signer], anchors: [try TestPKI.shared.get().authority])
    },
    .refused("CA without keyCertSign", .certificateInvalid, "INVALID_CA", depth: 1) {
      var templates = Case.intermediates(1)
      templates[1].keyUsage = [.digitalSignature]
      return try Case.chain(templates)()
    },
    .accepted("pathlen 0 above a leaf") {
      var templates = Case.intermediates(1)
      templates[1].pathLength = 0
      return try Case.chain(templates)()
    },
    .refused("pathlen 0 above a CA", .certificateInvalid, "PATH_LENGTH_EXCEEDED", depth: 2) {
      var templates = Case.intermediates(2)
      templates[1].pathLength = 0
      return try Case.chain(templates)()
    },
  ]
}
