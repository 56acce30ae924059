import AccessPolicy
import Testing

/// Cloudflare's shared authority among the trust anchors of a listener.
struct SharedAuthorityTests {
  private static let authority = Make.facts(
    (.subjectCN, .texts(["origin-pull.cloudflare.net"])), (.subjectO, .texts(["CloudFlare, Inc."])),
    (.ski, .text("aa")), (.sha256, .text(String(repeating: "c", count: 64))))

  private func findings(
    _ match: Condition, _ rule: RuleEntry = Make.rule("r"), _ authority: Facts = Self.authority,
    label: String? = "edge"
  ) throws -> [String] {
    let policy = try #require(Make.compile([Make.caller("edge", match)], [rule]).policy)
    return policy.sharedAuthorityFindings(authority, label: label, listener: "db").map(\.code)
  }

  static let open: [Condition] = [
    Make.condition(.issuerO, .plain("CloudFlare, Inc.")), Make.condition(.issuerSKI, .plain("AA")),
    Make.condition(.rootSHA256, .plain(String(repeating: "c", count: 64))),
    Make.condition(.eku, .plain("client_auth")), Make.condition(.subjectO, .prefix("Cloud")),
    Make.condition(.trustLabel, .plain("edge")), Make.condition(.serverName, .plain("shop.example")),
    Make.condition(.issuerCN, .suffix("cloudflare.net")),
  ]

  @Test(arguments: open)
  func whoeverComesThroughTheNetworkIsLetIn(_ match: Condition) throws {
    #expect(try findings(match) == ["shared-certificate"])
    #expect(
      try findings(match, Make.rule("r", callers: ["edge"], listeners: ["d*"])) == ["shared-certificate"])
  }

  static let pinned: [Condition] = [
    Make.condition(.issuerO, .plain("Example")), Make.condition(.issuerSKI, .plain("bb")),
    Make.condition(.spkiSHA256, .plain(String(repeating: "d", count: 64))),
    Make.condition(.sanURI, .prefix("x://")), Make.condition(.trustLabel, .plain("workers")),
    // The compiler tells of this one, whatever the anchors are.
    Make.condition(.issuerCN, .plain("origin-pull.cloudflare.net")),
  ]

  @Test(arguments: pinned)
  func whoHasSomethingOfItsOwnIsNot(_ match: Condition) throws { #expect(try findings(match) == []) }

  @Test func anAuthorityWithoutALabelHasNone() throws {
    let match = Make.condition(.trustLabel, .plain("edge"))
    #expect(try findings(match, label: nil) == [])
    #expect(try findings(Make.condition(.trustLabel, .present(false)), label: nil) == ["shared-certificate"])
    #expect(try findings(Make.condition(.trustLabel, .present(false)), label: "edge") == [])
  }

  @Test func onlyWhatIsAllowedThereCounts() throws {
    let match = Self.open[0]
    #expect(try findings(match, Make.rule("r", .deny)) == [])
    #expect(try findings(match, Make.rule("r", .log)) == [])
    #expect(try findings(match, Make.rule("r", mode: .shadow)) == [])
    #expect(try findings(match, Make.rule("r", listeners: ["api"])) == [])
    var other = Self.authority
    other[.subjectCN] = .texts(["Example CA"])
    #expect(try findings(match, Make.rule("r"), other) == [])
  }
}
