import AccessPolicy
import Foundation
import Testing

@testable import TLSEngine

/// A certificate is public; the key is what proves who somebody is, however well the certificate is known here.
@Suite struct BorrowedCertificateTests {
  @Test(arguments: TLSVersion.allCases)
  func knownCertificateWithoutItsKeyIsRefused(version: TLSVersion) throws {
    let context = try ServerContext(TestPKI.serverOptions())
    let cache = HandshakeCache()
    let owner = try TestPKI.clientOptions().speaking(version)
    #expect(try InMemoryPair(context, owner, cache: cache).handshake().isComplete)
    let client = try TestPKI.shared.get().client
    var thief = owner
    thief.privateKey = try Self.claiming(client, scalar: [UInt8](repeating: 0x2a, count: 32))
    for use in 1...2 {
      let pair = try InMemoryPair(context, thief, cache: cache)
      let failure = try #require(pair.handshake().failure)
      #expect((failure.reason, failure.code) == (.tlsProtocol, "SSL_R_BAD_SIGNATURE"))
      #expect(!pair.server.isEstablished)
      #expect(cache.chainHits == use, "the chain itself was known")
    }
    #expect(try InMemoryPair(context, owner, cache: cache).handshake().isComplete)
    #expect((cache.chainCount, cache.chainHits) == (1, 3))
  }

  /// A private key (RFC 5915) that says it is the certificate's, and is another.
  private static func claiming(_ certificate: IssuedCertificate, scalar: [UInt8]) throws -> [UInt8] {
    let point = try #require(certificate.publicKeyInfo).suffix(65)
    let der = DER.sequence(
      DER.integer(1), DER.octets(scalar),
      DER.tagged(0, DER.identifier("1.2.840.10045.3.1.7"), constructed: true),
      DER.tagged(1, DER.element(0x03, [0] + point), constructed: true))
    let text = Data(der).base64EncodedString(options: .lineLength64Characters)
    return Array("-----BEGIN EC PRIVATE KEY-----\n\(text)\n-----END EC PRIVATE KEY-----\n".utf8)
  }
}
