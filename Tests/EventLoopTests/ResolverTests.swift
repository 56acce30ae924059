import Testing

@testable import EventLoop

@Suite struct ResolverTests {
  @Test func localhostIsTheLoopback() throws {
    let found = try Resolver.resolve(name: "localhost", port: 5432)
    let loopbacks: Set = [anyLoopbackPort.withPort(5432), .v6(1, port: 5432, scope: 0)]
    #expect(!found.isEmpty)
    #expect(Set(found).isSubset(of: loopbacks))
    #expect(Set(found).count == found.count)
  }

  @Test(arguments: [
    ("127.0.0.1", NetworkAddress.v4(0x7f00_0001, port: 80)),
    ("::1", .v6(1, port: 80, scope: 0)),
    ("::ffff:10.9.8.7", .v4(0x0a09_0807, port: 80)),
  ])
  func literalsNeedNoNameServer(_ text: String, _ address: NetworkAddress) throws {
    #expect(try Resolver.resolve(name: text, port: 80) == [address])
  }

  /// RFC 6761 section 6.4: this name never exists. Without a name server it is a temporary failure.
  @Test func aNameThatDoesNotExistIsNamedInTheError() throws {
    let error = try #require(throws: ResolveError.self) {
      try Resolver.resolve(name: "db.invalid", port: 80)
    }
    #expect(error.name == "db.invalid")
    #expect(error.description == "resolve db.invalid: \(error.reason)")
    #expect(!error.reason.isEmpty)
  }

  @Test(arguments: ["", "localhost\0.example"])
  func aNameThatACStringWouldCut(_ name: String) {
    #expect(throws: ResolveError(name: name, reason: "not a host name", isTemporary: false)) {
      try Resolver.resolve(name: name, port: 80)
    }
  }
}
