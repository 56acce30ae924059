import AccessPolicy
import TLSEngine

/// One CA with a server and some clients, made once for all tests.
struct TestPKI: Sendable {
  enum Identity: Sendable, CaseIterable { case orders, billing, unmapped, shortLived, stranger }

  /// The moment that the manual clock begins at.
  static let now = Timestamp(seconds: 1_800_000_000)
  static let shared = Result { try TestPKI() }

  private let authority: IssuedCertificate
  private let server: IssuedCertificate
  /// PEM: the anchor of the stranger.
  let otherAuthorityPEM: [UInt8]
  private let clients: [Identity: IssuedCertificate]

  private static let notBefore = Timestamp(seconds: now.seconds - 86_400)
  private static let notAfter = Timestamp(seconds: now.seconds + 86_400)

  private init() throws {
    authority = try Self.authority("Test CA")
    let other = try Self.authority("Other CA")
    otherAuthorityPEM = other.pem
    server = try ThrowawayAuthority.issue(
      .server("localhost", notBefore: Self.notBefore, notAfter: Self.notAfter), by: authority)
    let soon = Timestamp(seconds: Self.now.seconds + 30)
    clients = [
      .orders: try Self.client("spiffe://test/worker/orders", by: authority),
      .billing: try Self.client("spiffe://test/worker/billing", by: authority),
      .unmapped: try Self.client("spiffe://test/printer", by: authority),
      .shortLived: try Self.client("spiffe://test/worker/orders", by: authority, notAfter: soon),
      .stranger: try Self.client("spiffe://test/worker/orders", by: other),
    ]
  }

  /// - Parameters:
  ///   - authorities: PEM; nil stands for the CA that the others are of.
  ///   - label: what they are called.
  func serverContext(trusting authorities: [UInt8]? = nil, label: String? = nil) throws -> ServerContext {
    try ServerContext(
      ServerContextOptions(
        identity: IdentityOptions(certificates: [server.pem], privateKeys: [server.keyPEM]),
        trust: TrustOptions(bundles: [TrustBundleFile(label: label, pem: authorities ?? authority.pem)]),
        listener: "front"))
  }

  /// PEM: the anchor of servers and clients.
  var authorityPEM: [UInt8] { authority.pem }

  func clientOptions(_ identity: Identity?) -> TLSClientOptions {
    var options = TLSClientOptions()
    if let certificate = identity.flatMap({ clients[$0] }) {
      options.identity = IdentityOptions(
        certificates: [certificate.pem], privateKeys: [certificate.keyPEM])
    }
    return options
  }

  private static func authority(_ name: String) throws -> IssuedCertificate {
    try ThrowawayAuthority.selfSigned(.authority(name, notBefore: notBefore, notAfter: notAfter))
  }

  private static func client(
    _ uri: String, by issuer: IssuedCertificate, notAfter: Timestamp = notAfter
  ) throws -> IssuedCertificate {
    var template = CertificateTemplate.client("client", notBefore: notBefore, notAfter: notAfter)
    template.alternativeNames = [.uri(uri)]
    return try ThrowawayAuthority.issue(template, by: issuer)
  }
}
