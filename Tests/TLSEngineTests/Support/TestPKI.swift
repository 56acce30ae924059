import AccessPolicy

@testable import TLSEngine

/// Certificates that many tests share, made once. Time stands at ``now``; nothing asks the machine's clock.
enum TestPKI {
  /// 2026-06-01T00:00:00Z
  static let now = Timestamp(seconds: 1_780_272_000)
  static let day: Int64 = 86_400
  static let notBefore = Timestamp(seconds: now.seconds - 30 * day)
  static let notAfter = Timestamp(seconds: now.seconds + 30 * day)

  struct Shared: Sendable {
    let authority: IssuedCertificate
    let server: IssuedCertificate
    let client: IssuedCertificate
  }

  static let shared: Result<Shared, IssuingError> = {
    do throws(IssuingError) {
      let authority = try ThrowawayAuthority.selfSigned(authority("Test CA"))
      return .success(
        Shared(
          authority: authority,
          server: try ThrowawayAuthority.issue(
            .server("db.example", notBefore: notBefore, notAfter: notAfter), by: authority),
          client: try ThrowawayAuthority.issue(client("worker"), by: authority)))
    } catch { return .failure(error) }
  }()

  static func authority(_ name: String) -> CertificateTemplate {
    .authority(name, notBefore: notBefore, notAfter: notAfter)
  }

  static func client(_ name: String) -> CertificateTemplate {
    .client(name, notBefore: notBefore, notAfter: notAfter)
  }

  /// A client's certificate of the shared authority, changed by `change`.
  static func client(_ change: (inout CertificateTemplate) -> Void) throws -> IssuedCertificate {
    var template = client("worker")
    change(&template)
    return try ThrowawayAuthority.issue(template, by: shared.get().authority)
  }

  static func serverOptions(
    clientCA: [UInt8]? = nil, _ change: (inout ServerContextOptions) -> Void = { _ in }
  ) throws -> ServerContextOptions {
    let shared = try shared.get()
    var options = ServerContextOptions(
      certificateChain: shared.server.pem, privateKey: shared.server.keyPEM,
      clientCA: clientCA ?? shared.authority.pem, listener: "test")
    change(&options)
    return options
  }

  /// A client that shows the shared certificate.
  static func clientOptions(_ change: (inout TLSClientOptions) -> Void = { _ in }) throws -> TLSClientOptions
  {
    var options = TLSClientOptions()
    options.certificateChain = try shared.get().client.pem
    options.privateKey = try shared.get().client.keyPEM
    change(&options)
    return options
  }
}

extension ChainVerifier {
  /// One bundle without a label.
  convenience init(
    bundle: [UInt8], revocation: RevocationOptions = RevocationOptions()
  ) throws(TLSConfigurationError) {
    try self.init(TrustOptions(bundles: [TrustBundleFile(pem: bundle)], revocation: revocation))
  }
}

extension IssuedCertificate {
  /// The SubjectPublicKeyInfo of a P-256 key, DER (RFC 5480 §2): 26 octets of a header and the point.
  var publicKeyInfo: [UInt8]? {
    let header: [UInt8] = [0x30, 0x59, 0x30, 0x13, 0x06, 0x07]
    return der.firstRange(of: header).map { Array(der[$0.lowerBound..<$0.lowerBound + 91]) }
  }
}
