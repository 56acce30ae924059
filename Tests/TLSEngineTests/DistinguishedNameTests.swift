import AccessPolicy
import Testing

@testable import TLSEngine

@Suite struct DistinguishedNameTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var attributes: [NameAttribute]
    var text: String?
  }

  static func utf8(_ type: String, _ text: String, sameSet: Bool = false) -> NameAttribute {
    NameAttribute(type, .utf8, Array(text.utf8), sameSet: sameSet)
  }

  static let cases: [Case] = [
    .init(testDescription: "empty", attributes: [], text: nil),
    .init(
      testDescription: "last first",
      attributes: [
        NameAttribute(AttributeTypes.country, .printable, Array("ES".utf8)), .organization("Acme"),
        .commonName("w1"),
      ], text: "CN=w1,O=Acme,C=ES"),
    .init(
      testDescription: "every short name",
      attributes: [
        ("0.9.2342.19200300.100.1.25", "d"), ("2.5.4.9", "s"), ("2.5.4.6", "c"), ("2.5.4.11", "ou"),
        ("2.5.4.10", "o"), ("2.5.4.8", "st"), ("2.5.4.7", "l"), ("0.9.2342.19200300.100.1.1", "u"),
        ("2.5.4.3", "n"),
      ].map { utf8($0.0, $0.1) }, text: "CN=n,UID=u,L=l,ST=st,O=o,OU=ou,C=c,STREET=s,DC=d"),
    .init(
      testDescription: "several values in one set",
      attributes: [.organization("Acme"), .commonName("a"), utf8(AttributeTypes.userID, "b", sameSet: true)],
      text: "CN=a+UID=b,O=Acme"),
    .init(
      testDescription: "the same type twice",
      attributes: [.organizationalUnit("x"), .organizationalUnit("y")], text: "OU=y,OU=x"),
    .init(
      testDescription: "special characters", attributes: [.commonName("a\"+,;<>\\=b")],
      text: ##"CN=a\"\+\,\;\<\>\\=b"##),
    .init(testDescription: "spaces around", attributes: [.commonName("  a b  ")], text: #"CN=\  a b \ "#),
    .init(testDescription: "one space", attributes: [.commonName(" ")], text: #"CN=\ "#),
    .init(testDescription: "number sign", attributes: [.commonName("#a#")], text: ##"CN=\#a#"##),
    .init(testDescription: "beyond ASCII", attributes: [.commonName("Lučić")], text: "CN=Lučić"),
    .init(testDescription: "empty value", attributes: [.commonName("")], text: "CN="),
    .init(
      testDescription: "unlisted types",
      attributes: [
        NameAttribute("1.2.840.113549.1.9.1", .ia5, Array("a@b".utf8)),
        NameAttribute("2.5.4.5", .printable, Array("7".utf8)), utf8("1.2.3.4", "x"),
      ], text: "1.2.3.4=#0c0178,2.5.4.5=#130137,1.2.840.113549.1.9.1=#1603614062"),
    .init(
      testDescription: "forged separators stay one value", attributes: [.commonName("a,O=Acme")],
      text: #"CN=a\,O=Acme"#),
  ]

  @Test(arguments: cases)
  func isWrittenAsRFC4514(_ item: Case) throws {
    let issued = try TestPKI.client { $0.subject = item.attributes }
    let facts = PeerCertificate.facts(issued.certificate)
    #expect(facts[.subjectDN] == item.text.map { .text($0) })
    #expect(facts[.issuerDN] == .text("CN=Test CA"))
    #expect(facts.unreadableNames.isEmpty)
  }

  @Test func attributesKeepTheirOrder() throws {
    let issued = try TestPKI.client {
      $0.subject = [
        .organizationalUnit("second"), .organizationalUnit("first"),
        Self.utf8(AttributeTypes.serialNumber, "S1"),
        Self.utf8("2.5.4.4", "surname"),
      ]
    }
    let facts = PeerCertificate.facts(issued.certificate)
    #expect(facts[.subjectOU] == .texts(["second", "first"]))
    #expect(facts[.subjectSerialNumber] == .texts(["S1"]))
    #expect(facts[.subjectCN] == nil)
    #expect(facts[.issuerCN] == .texts(["Test CA"]))
  }

  @Test func emptySubjectCompletesAHandshake() throws {
    let facts = try NameTests.handshakeFacts {
      $0.subject = []
      $0.alternativeNames = [.uri("spiffe://a/b")]
    }
    #expect(facts[.subjectDN] == nil)
    #expect(facts[.sanURI] == .texts(["spiffe://a/b"]))
    #expect(facts.unreadableNames.isEmpty)
  }
}
