import AccessPolicy
import Foundation

@testable import TLSEngine

/// A chain with CRLs. Serial numbers are chosen, so that a CRL can name them.
struct RevocationScene {
  /// The root, its intermediates, the leaf; the root is the anchor.
  var issued: [IssuedCertificate] = []
  var scene: VerificationCase.Scene

  static let leafSerial: [UInt8] = [0x51, 0x07]
  static let authoritySerial: [UInt8] = [0x41]

  /// - Parameters:
  ///   - intermediates: how many CAs stand between the root and the leaf.
  ///   - change: of the templates, the root's first.
  init(intermediates: Int = 0, _ change: (inout [CertificateTemplate]) -> Void = { _ in }) throws {
    var templates = VerificationCase.intermediates(intermediates)
    for index in templates.indices.dropFirst() { templates[index].serial = Self.authoritySerial }
    templates[templates.count - 1].serial = Self.leafSerial
    change(&templates)
    for template in templates { issued.append(try ThrowawayAuthority.issue(template, by: issued.last)) }
    scene = VerificationCase.Scene(chain: issued.dropFirst().reversed(), anchors: [issued[0]])
  }

  /// A CRL that is good now, changed.
  static func template(
    _ serials: [UInt8]..., change: (inout RevocationTemplate) -> Void = { _ in }
  ) -> RevocationTemplate {
    var template = RevocationTemplate(
      thisUpdate: Timestamp(seconds: TestPKI.now.seconds - 3600),
      nextUpdate: Timestamp(seconds: TestPKI.now.seconds + 3600))
    template.entries = serials.map { RevokedEntry($0) }
    change(&template)
    return template
  }

  /// What a CRL of one of the issued CAs says; signed by another's key if wanted.
  func crl(
    _ template: RevocationTemplate, by issuer: Int = 0, signedBy signer: IssuedCertificate? = nil
  ) throws -> [UInt8] {
    try ThrowawayAuthority.revoke(template, by: issued[issuer], signedBy: signer)
  }

  func with(
    _ crls: [UInt8]..., stale: RevocationOptions.Staleness = .deny, isRequired: Bool = false,
    after seconds: Int64 = 0
  ) -> VerificationCase.Scene {
    var scene = scene
    scene.revocation = RevocationOptions(crls: crls, stale: stale, isRequired: isRequired)
    scene.now = Timestamp(seconds: TestPKI.now.seconds + seconds)
    return scene
  }

  /// The leaf's serial number in a CRL of the root, under some settings at some time.
  static func leaf(
    revoked: Bool, stale: RevocationOptions.Staleness = .deny, isRequired: Bool = false,
    after seconds: Int64 = 0, change: @escaping @Sendable (inout RevocationTemplate) -> Void = { _ in }
  ) -> @Sendable () throws -> VerificationCase.Scene {
    {
      let made = try RevocationScene()
      let crl = try made.crl(
        template(revoked ? leafSerial : [0x33], change: change))
      return made.with(crl, stale: stale, isRequired: isRequired, after: seconds)
    }
  }

  static func pem(_ crl: [UInt8]) -> [UInt8] {
    let lines = "-----BEGIN X509 CRL-----\n\(Data(crl).base64EncodedString(options: .lineLength64Characters))"
    return Array("\(lines)\n-----END X509 CRL-----\n".utf8)
  }
}
