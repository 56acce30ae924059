import AccessPolicy
import Testing

@testable import TLSEngine

@Suite struct CertificateFactsTests {
  static let keys: [(CertificateTemplate.KeyType, String, Int)] = [
    (.p256, "ec", 256), (.p384, "ec", 384), (.rsa(2048), "rsa", 2048), (.ed25519, "ed25519", 256),
  ]

  @Test(arguments: keys)
  func key(type: CertificateTemplate.KeyType, name: String, bits: Int) throws {
    let facts = try NameTests.handshakeFacts { $0.keyType = type }
    #expect(facts[.keyType] == .text(name))
    // 253 for Ed25519 is what OpenSSL says of its security, not of its size.
    #expect(facts[.keyBits] == .integer(type == .ed25519 ? 256 : bits))
  }

  static let serials: [([UInt8], Bool, String)] = [
    ([1], false, "01"), ([0x0a, 0xbc], false, "0abc"), ([0x80], false, "80"), ([0], false, "00"),
    ([0xff, 0x00, 0x01], false, "ff0001"), ([5], true, "-05"),
  ]

  @Test(arguments: serials)
  func serial(octets: [UInt8], negative: Bool, text: String) throws {
    let issued = try TestPKI.client {
      $0.serial = octets
      $0.serialIsNegative = negative
    }
    #expect(PeerCertificate.facts(issued.certificate)[.serial] == .text(text))
  }

  static let usages: [([String]?, [String]?)] = [
    (nil, nil), (["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"], ["clientAuth", "serverAuth"]),
    (["2.5.29.37.0", "1.2.3.4"], ["anyExtendedKeyUsage", "1.2.3.4"]),
    (["1.3.6.1.5.5.7.3.4", "1.3.6.1.4.1.311.20.2.2"], ["emailProtection", "1.3.6.1.4.1.311.20.2.2"]),
  ]

  @Test(arguments: usages)
  func extendedKeyUsage(identifiers: [String]?, names: [String]?) throws {
    let issued = try TestPKI.client { $0.extendedKeyUsage = identifiers }
    #expect(PeerCertificate.facts(issued.certificate)[.eku] == names.map { .texts($0) })
  }

  static let times: [(Int64, Timestamp)] = [
    (0, Timestamp(seconds: 0)), (951_782_399, Timestamp(seconds: 951_782_399)),
    (2_524_607_999, Timestamp(seconds: 2_524_607_999)), (2_524_608_000, Timestamp(seconds: 2_524_608_000)),
    (-1, Timestamp(seconds: -1)), (253_402_300_799, .distantFuture),
    (-300_000_000, Timestamp(seconds: -300_000_000)),
  ]

  @Test(arguments: times)
  func time(seconds: Int64, expected: Timestamp) throws {
    // The template's own clock is in nanoseconds and ends in 2262; the certificate's ends in 9999.
    let der = try TestPKI.client { $0.notAfter = Timestamp(seconds: min(seconds, 9_000_000_000)) }
    let issued = seconds > 9_000_000_000 ? try Self.endOfTime() : der.certificate
    #expect(PeerCertificate.facts(issued)[.notAfter] == .instant(expected))
    #expect(PeerCertificate.facts(issued)[.notBefore] == .instant(TestPKI.notBefore))
  }

  /// A certificate whose notAfter is 99991231235959Z, the "no end" of RFC 5280 §4.1.2.5.
  private static func endOfTime() throws -> Certificate {
    var template = TestPKI.client("forever")
    template.notAfter = Timestamp(seconds: 9_000_000_000)
    var der = try ThrowawayAuthority.issue(template, by: TestPKI.shared.get().authority).der
    let text = Array("22550314160000Z".utf8)
    let range = try #require(der.firstRange(of: text))
    der.replaceSubrange(range, with: Array("99991231235959Z".utf8))
    return try #require(Certificate(der: der))
  }

  @Test func hashesAndKeyIdentifiers() throws {
    let shared = try TestPKI.shared.get()
    let facts = PeerCertificate.facts(shared.client.certificate)
    let issuer = PeerCertificate.facts(shared.authority.certificate)
    #expect(facts[.sha256] == .text(hexadecimal(SHA256.hash(shared.client.der))))
    #expect(facts[.issuerSKI] == issuer[.ski])
    #expect(facts[.ski] != issuer[.ski])
    guard case .text(let pin)? = facts[.spkiSHA256], case .text(let ski)? = facts[.ski] else {
      Issue.record("hashes are missing")
      return
    }
    // The authority takes its key identifier from the same hash.
    #expect(pin.hasPrefix(ski))
    #expect(pin.count == 64)
    #expect(ski.count == 40)
    let bare = try TestPKI.client { $0.omitsKeyIdentifiers = true }
    #expect(PeerCertificate.facts(bare.certificate)[.ski] == nil)
    #expect(PeerCertificate.facts(bare.certificate)[.issuerSKI] == nil)
  }

  @Test func onlyTLSAndCertificateFieldsAreFilled() throws {
    let facts = try NameTests.handshakeFacts { _ in }
    #expect(facts.unreadableNames.isEmpty)
    let expected: Set<Field> = [
      .subjectCN, .subjectDN, .issuerCN, .issuerDN, .serial, .sha256, .spkiSHA256, .ski, .issuerSKI,
      .rootSHA256, .eku,
      .keyType, .keyBits, .notBefore, .notAfter, .chainLength, .tlsVersion, .tlsCipher, .tlsGroup, .resumed,
    ]
    #expect(Set(facts.fields) == expected)
  }

  @Test func pureEntryTakesAnyBytes() throws {
    let der = try TestPKI.shared.get().client.der
    #expect(PeerCertificate.facts(der: der)?[.subjectCN] == .texts(["worker"]))
    #expect(PeerCertificate.facts(der: der + [0]) == nil)
    #expect(PeerCertificate.facts(der: Array(der.dropLast())) == nil)
    #expect(PeerCertificate.facts(der: []) == nil)
    var read = 0
    for index in der.indices {
      var changed = der
      changed[index] ^= 0x01
      if PeerCertificate.facts(der: changed) != nil { read += 1 }
    }
    #expect((1..<der.count).contains(read))
  }

  @Test func sha256OfKnownTexts() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    #expect(hexadecimal(SHA256.hash([UInt8]())) == empty)
    #expect(hexadecimal(SHA256.hash(Array("abc".utf8))) == abc)
  }
}
