import AccessPolicy
import Testing

@testable import TLSEngine

/// Names of certificates: minted, sent over a handshake, and read back.
@Suite struct NameTests {
  struct EncodingCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var type: NameAttribute.StringType
    var bytes: [UInt8]
    /// The text, or nil where it must be unreadable.
    var text: String?
    var problem: String?

    static func reads(_ name: String, _ type: NameAttribute.StringType, _ bytes: [UInt8], _ text: String)
      -> Self
    {
      Self(testDescription: name, type: type, bytes: bytes, text: text)
    }

    static func refuses(
      _ name: String, _ type: NameAttribute.StringType, _ bytes: [UInt8], _ problem: String
    ) -> Self {
      Self(testDescription: name, type: type, bytes: bytes, problem: "CN " + problem)
    }
  }

  static let encodings: [EncodingCase] = [
    .reads("UTF8String", .utf8, Array("Zoë 中 🙂".utf8), "Zoë 中 🙂"),
    .reads("UTF8String, empty", .utf8, [], ""),
    .refuses("UTF8String, NUL", .utf8, Array("admin\0.evil".utf8), "contains NUL"),
    .refuses("UTF8String, newline", .utf8, Array("a\nb".utf8), "contains the control character U+000A"),
    .refuses("UTF8String, DEL", .utf8, [0x61, 0x7f], "contains the control character U+007F"),
    .refuses("UTF8String, C1", .utf8, [0x61, 0xc2, 0x85], "contains the control character U+0085"),
    .reads("PrintableString", .printable, Array("Az09 '()+,-./:=?".utf8), "Az09 '()+,-./:=?"),
    .refuses(
      "PrintableString, @", .printable, Array("a@b".utf8), "holds the byte 0x40, which no PrintableString may"
    ),
    .refuses(
      "PrintableString, *", .printable, Array("*.a".utf8), "holds the byte 0x2a, which no PrintableString may"
    ),
    .refuses("PrintableString, NUL", .printable, [0x61, 0], "contains NUL"),
    .reads("IA5String", .ia5, Array("a@b_c~".utf8), "a@b_c~"),
    .refuses("IA5String, high", .ia5, [0x61, 0xe9], "holds the byte 0xe9, which no IA5String may"),
    .refuses("IA5String, tab", .ia5, [0x61, 9], "contains the control character U+0009"),
    .reads("NumericString", .numeric, Array("12 34".utf8), "12 34"),
    .refuses(
      "NumericString, letter", .numeric, Array("12a".utf8), "holds the byte 0x61, which no NumericString may"),
    .reads("TeletexString, as ASCII", .teletex, Array("Acme Ltd".utf8), "Acme Ltd"),
    .refuses(
      "TeletexString, Latin-1 or T.61?", .teletex, [0x5a, 0xeb],
      "holds the byte 0xeb, which no TeletexString may"),
    .refuses(
      "TeletexString, dollar or currency?", .teletex, [0x24],
      "holds the byte 0x24, which no TeletexString may"),
    .reads("BMPString", .bmp, [0, 0x5a, 0, 0xeb, 0x4e, 0x2d], "Zë中"),
    .refuses("BMPString, NUL", .bmp, [0, 0x5a, 0, 0], "contains NUL"),
    .reads("UniversalString", .universal, [0, 1, 0xf6, 0x42], "🙂"),
    .refuses("BIT STRING", .bitString, [0x61], "is not a text string (ASN.1 tag 3)"),
  ]

  /// OpenSSL's own parser refuses these, since it cannot bring them into the form in which it compares names.
  static let unparsable: [EncodingCase] = [
    .refuses("UTF8String, stray byte", .utf8, [0x61, 0xff], "is not valid UTF-8"),
    .refuses("UTF8String, overlong", .utf8, [0xc0, 0xaf], "is not valid UTF-8"),
    .refuses("UTF8String, surrogate", .utf8, [0xed, 0xa0, 0x80], "is not valid UTF-8"),
    .refuses(
      "BMPString, odd", .bmp, [0, 0x5a, 0], "is a BMPString of 3 bytes, which ends within a character"),
    .refuses(
      "BMPString, surrogates", .bmp, [0xd8, 0x3d, 0xde, 0x42],
      "holds 0xd83d, which is no character, in a BMPString"),
    .refuses(
      "UniversalString, beyond Unicode", .universal, [0, 0x11, 0, 0],
      "holds 0x110000, which is no character, in a UniversalString"),
    .refuses(
      "UniversalString, short", .universal, [0, 0x5a],
      "is a UniversalString of 2 bytes, which ends within a character"),
  ]

  @Test(arguments: unparsable)
  func nameThatTheParserRefuses(_ item: EncodingCase) throws {
    let text = NameText(type: item.type.rawValue, bytes: item.bytes)
    #expect(text == .unreadable(problem: String(try #require(item.problem).dropFirst(3))))
    // Minted as letters, then changed where it stands: the parser comes before the signature.
    let letters = [UInt8](repeating: UInt8(ascii: "q"), count: item.bytes.count)
    let issued = try TestPKI.client {
      $0.subject = [NameAttribute(AttributeTypes.commonName, .utf8, letters)]
    }
    let spoilt = DER.element(UInt8(item.type.rawValue), item.bytes)
    let at = try #require(issued.der.firstRange(of: DER.element(0x0c, letters))?.lowerBound)
    var der = issued.der
    der.replaceSubrange(at..<at + spoilt.count, with: spoilt)
    #expect(Certificate(der: der) == nil)
    let pair = try InMemoryPair(
      TestPKI.serverOptions(),
      TestPKI.clientOptions {
        $0.certificateChain = issued.pem
        $0.privateKey = issued.keyPEM
        $0.maxVersion = .tls12
      })
    pair.fromClient = { bytes in
      guard let start = bytes.firstRange(of: issued.der)?.lowerBound else { return }
      bytes.replaceSubrange(start..<start + der.count, with: der)
    }
    #expect(pair.handshake().failure?.reason == .certificateMalformed)
  }

  @Test(arguments: encodings)
  func subjectIsReadExactly(_ item: EncodingCase) throws {
    let facts = try Self.handshakeFacts { template in
      template.subject = [NameAttribute(AttributeTypes.commonName, item.type, item.bytes)]
    }
    #expect(facts[.subjectCN] == item.text.map { .texts([$0]) })
    #expect(
      facts.unreadableNames == (item.problem.map { [UnreadableName(place: "subject", problem: $0)] } ?? []))
  }

  /// VisibleString is no choice of DirectoryString; OpenSSL's parser decides before we do.
  @Test func visibleStringIsReadOrRefused() throws {
    #expect(NameText(type: 26, bytes: Array("a b".utf8)) == .text("a b"))
    #expect(
      NameText(type: 26, bytes: [0x61, 0xe9])
        == .unreadable(problem: "holds the byte 0xe9, which no VisibleString may"))
    #expect(NameText(type: 27, bytes: [0x61]) == .unreadable(problem: "is not a text string (ASN.1 tag 27)"))
  }

  struct AlternativeCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var names: [IssuedName]
    var field: Field
    var value: FactValue?
    var problems: [String] = []
  }

  static let alternatives: [AlternativeCase] = [
    .init(
      testDescription: "URIs in order", names: [.uri("spiffe://b/"), .uri("spiffe://a/")], field: .sanURI,
      value: .texts(["spiffe://b/", "spiffe://a/"])),
    .init(testDescription: "DNS", names: [.dns("*.Example")], field: .sanDNS, value: .texts(["*.Example"])),
    .init(
      testDescription: "e-mail", names: [.email("a@b.example")], field: .sanEmail,
      value: .texts(["a@b.example"])),
    .init(
      testDescription: "e-mail is no DNS name", names: [.email("host.example")], field: .sanDNS, value: nil),
    .init(testDescription: "DNS name is no URI", names: [.dns("spiffe://a/b")], field: .sanURI, value: nil),
    .init(
      testDescription: "addresses",
      names: [.ip([10, 0, 0, 1]), .ip([UInt8](repeating: 0, count: 15) + [1])],
      field: .sanIP, value: .addresses([IPAddress(v4: 0x0a00_0001), IPAddress(v6: 1)])),
    .init(
      testDescription: "address of 8 bytes", names: [.ip([10, 0, 0, 0, 255, 0, 0, 0])], field: .sanIP,
      value: nil,
      problems: ["san_ip: is 8 bytes long, an address has 4 or 16"]),
    .init(
      testDescription: "UPN", names: [.userPrincipal("zoë@corp")], field: .sanUPN, value: .texts(["zoë@corp"])
    ),
    .init(
      testDescription: "UPN as IA5String",
      names: [.other("1.3.6.1.4.1.311.20.2.3", DER.element(0x16, Array("a@b".utf8)))], field: .sanUPN,
      value: nil,
      problems: ["san_upn: is not a UTF8String"]),
    .init(
      testDescription: "UPN, bad UTF-8",
      names: [.other("1.3.6.1.4.1.311.20.2.3", DER.element(0x0c, [0xff]))], field: .sanUPN, value: nil,
      problems: ["san_upn: is not valid UTF-8"]),
    .init(
      testDescription: "UPN, NUL", names: [.userPrincipal("a\0b")], field: .sanUPN, value: nil,
      problems: ["san_upn: contains NUL"]),
    .init(
      testDescription: "URI, NUL", names: [.uri("spiffe://good\0.evil")], field: .sanURI, value: nil,
      problems: ["san_uri: contains NUL"]),
    .init(
      testDescription: "one bad among good", names: [.dns("good.example"), .dns([0x61, 0x0a])],
      field: .sanDNS,
      value: .texts(["good.example"]), problems: ["san_dns: contains the control character U+000A"]),
    .init(
      testDescription: "DNS, high byte", names: [.dns([0x62, 0xfc])], field: .sanDNS, value: nil,
      problems: ["san_dns: holds the byte 0xfc, which no IA5String may"]),
    .init(
      testDescription: "e-mail, DEL", names: [.email([0x61, 0x7f])], field: .sanEmail, value: nil,
      problems: ["san_email: contains the control character U+007F"]),
    .init(
      testDescription: "kinds that are no facts",
      names: [
        .other("1.2.3.4", DER.utf8("x")), .raw(DER.tagged(8, [0x2a, 0x03])),
        .raw(
          DER.tagged(
            4, DER.sequence(DER.element(0x31, DER.sequence(DER.identifier("2.5.4.3"), DER.utf8("n")))),
            constructed: true)),
        .dns("kept.example"),
      ], field: .sanDNS, value: .texts(["kept.example"])),
  ]

  @Test(arguments: alternatives)
  func alternativeNamesAreReadByKind(_ item: AlternativeCase) throws {
    let facts = try Self.handshakeFacts { $0.alternativeNames = item.names }
    #expect(facts[item.field] == item.value)
    #expect(facts.unreadableNames.map { "\($0.place): \($0.problem)" } == item.problems)
  }

  /// OpenSSL's verification refuses those that it cannot decode, and takes the others.
  static let brokenExtensions: [(String, [[UInt8]], Bool)] = [
    ("not a list", [DER.utf8("x")], true),
    ("empty list", [DER.sequence()], false),
    ("cut", [Array(DER.sequence(DER.tagged(2, Array("a.example".utf8))).dropLast())], true),
    ("bytes behind", [DER.sequence(DER.tagged(2, [0x61])) + [0]], false),
    ("twice", Array(repeating: DER.sequence(DER.tagged(2, [0x61])), count: 2), true),
  ]

  /// Broken alternative names refuse the certificate: in the verification, or as an unreadable name.
  @Test(arguments: brokenExtensions)
  func brokenExtensionRefuses(name: String, values: [[UInt8]], refusedByVerification: Bool) throws {
    let problem =
      name == "twice" ? "the extension stands there twice" : "the extension is not a list of names"
    let issued = try TestPKI.client { $0.extensions = values.map { IssuedExtension("2.5.29.17", $0) } }
    let facts = PeerCertificate.facts(issued.certificate)
    #expect(facts.unreadableNames == [UnreadableName(place: "san", problem: problem)])
    #expect(facts[.sanDNS] == nil)
    let pair = try InMemoryPair(
      TestPKI.serverOptions(),
      TestPKI.clientOptions {
        $0.certificateChain = issued.pem
        $0.privateKey = issued.keyPEM
      })
    let step = pair.handshake()
    #expect(step.isComplete == !refusedByVerification)
    #expect(step.failure?.reason == (refusedByVerification ? .certificateMalformed : nil))
    #expect(pair.server.facts.unreadableNames == facts.unreadableNames)
  }

  @Test func unreadableIssuerIsKnown() throws {
    var template = TestPKI.authority("x")
    template.subject = [NameAttribute(AttributeTypes.commonName, .utf8, Array("a\0b".utf8))]
    let authority = try ThrowawayAuthority.selfSigned(template)
    let leaf = try ThrowawayAuthority.issue(TestPKI.client("worker"), by: authority)
    let facts = PeerCertificate.facts(leaf.certificate)
    #expect(facts.unreadableNames == [UnreadableName(place: "issuer", problem: "CN contains NUL")])
    #expect(facts[.issuerCN] == nil)
    #expect(facts[.issuerDN] == .text("CN=#0c03610062"))
  }

  static func handshakeFacts(_ change: (inout CertificateTemplate) -> Void) throws -> Facts {
    let issued = try TestPKI.client(change)
    let pair = try InMemoryPair(
      TestPKI.serverOptions(),
      TestPKI.clientOptions {
        $0.certificateChain = issued.pem
        $0.privateKey = issued.keyPEM
      })
    #expect(pair.handshake().isComplete)
    return pair.server.facts
  }
}
