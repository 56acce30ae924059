import AccessPolicy
import Testing

@testable import TLSEngine

/// Certificates and trust by the name that a client asks for.
@Suite struct HostTests {
  /// A listener for `db.example` and two hosts, each with a CA of its own.
  struct Scene: Sendable {
    let blogCA: IssuedCertificate
    let blog: IssuedCertificate
    let blogClient: IssuedCertificate
    let shopClient: IssuedCertificate
    let shopCA: IssuedCertificate
  }

  static let scene: Result<Scene, IssuingError> = {
    do throws(IssuingError) {
      let blogCA = try ThrowawayAuthority.selfSigned(TestPKI.authority("Blog CA"))
      let shopCA = try ThrowawayAuthority.selfSigned(TestPKI.authority("Shop CA"))
      return .success(
        Scene(
          blogCA: blogCA,
          blog: try ThrowawayAuthority.issue(
            .server("blog.example", notBefore: TestPKI.notBefore, notAfter: TestPKI.notAfter), by: blogCA),
          blogClient: try ThrowawayAuthority.issue(TestPKI.client("blog"), by: blogCA),
          shopClient: try ThrowawayAuthority.issue(TestPKI.client("shop"), by: shopCA), shopCA: shopCA))
    } catch { return .failure(error) }
  }()

  /// `blog.example` has all of its own, `*.shop.example` another client CA alone.
  static func options(
    _ change: (inout ServerContextOptions) -> Void = { _ in }
  ) throws -> ServerContextOptions {
    let scene = try scene.get()
    return try TestPKI.serverOptions {
      $0.hosts = [
        ServerHostOptions(
          names: ["blog.example"], identity: scene.blog.identity,
          bundles: [TrustBundleFile(label: "blog", pem: scene.blogCA.pem)]),
        ServerHostOptions(
          names: ["*.shop.example", "xn--bcher-kva.example"],
          bundles: [TrustBundleFile(label: "shop", pem: scene.shopCA.pem)]),
      ]
      change(&$0)
    }
  }

  enum Client: String, CaseIterable, Sendable { case own, blog, shop }

  private static func client(_ client: Client, _ name: String?) throws -> TLSClientOptions {
    let scene = try scene.get()
    return try TestPKI.clientOptions {
      switch client {
      case .own: break
      case .blog: $0.identity = scene.blogClient.identity
      case .shop: $0.identity = scene.shopClient.identity
      }
      $0.serverName = name
    }
  }

  /// Each name, and whose clients pass for it: nobody else's do.
  static let names: [(String?, Client)] = [
    ("blog.example", .blog), ("BLOG.Example", .blog), ("blog.example.", .blog), ("www.shop.example", .shop),
    ("WWW.SHOP.EXAMPLE.", .shop), ("xn--bcher-kva.example", .shop), ("shop.example", .own),
    ("a.b.shop.example", .own), ("www.blog.example", .own), ("example", .own), ("db.example", .own),
    (nil, .own),
  ]

  @Test(arguments: names, TLSVersion.allCases)
  func aClientPassesForItsOwnHostAlone(_ item: (String?, Client), _ version: TLSVersion) throws {
    let context = try ServerContext(Self.options())
    for client in Client.allCases {
      let pair = try InMemoryPair(context, Self.client(client, item.0).speaking(version))
      let step = pair.handshake()
      #expect(step.isComplete == (client == item.1), "\(client)")
      #expect(step.failure?.reason == (client == item.1 ? nil : .certificateUntrusted), "\(client)")
      let label: FactValue? = item.1 == .own || client != item.1 ? nil : .text(client.rawValue)
      #expect(pair.server.facts[.trustLabel] == label)
    }
  }

  /// A host's own certificate, or the listener's.
  @Test(arguments: [("blog.example", true), ("db.example", false)])
  func theCertificateIsTheHosts(_ name: String, _ isBlog: Bool) throws {
    let scene = try Self.scene.get()
    let shared = try TestPKI.shared.get()
    let context = try ServerContext(Self.options())
    for (authority, fits) in [(scene.blogCA, isBlog), (shared.authority, !isBlog)] {
      var client = try Self.client(isBlog ? .blog : .own, name)
      client.serverCA = authority.pem
      #expect(try InMemoryPair(context, client).handshake().isComplete == fits)
    }
  }

  @Test(arguments: TLSVersion.allCases)
  func unknownNamesAreRefusedWhereTheConfigurationSaysSo(_ version: TLSVersion) throws {
    let context = try ServerContext(Self.options { $0.refusesUnknownNames = true })
    for name in ["db.example", "shop.example", "a.b.shop.example", nil] {
      let pair = try InMemoryPair(context, Self.client(.own, name).speaking(version))
      let step = pair.handshake()
      #expect(step.failure?.reason == .serverNameUnknown)
      #expect(pair.server.facts[.serverName] == name.map { .text($0) })
      // A fatal alert, unrecognized_name (RFC 6066 §3).
      #expect(Array(pair.sentByServer.suffix(2)) == [2, 112])
    }
    #expect(
      try InMemoryPair(context, Self.client(.blog, "blog.example").speaking(version)).handshake().isComplete)
  }

  /// Whoever looks for the name in the first record finds half of it (CVE-2026-32305).
  @Test(arguments: [1, 7, 100, 300])
  func aHelloInManyRecordsChoosesTheSameHost(_ size: Int) throws {
    let context = try ServerContext(Self.options { $0.refusesUnknownNames = true })
    for portion in [1, Int.max] {
      for (client, passes) in [(Client.blog, true), (.own, false)] {
        let pair = try InMemoryPair(context, Self.client(client, "blog.example"))
        pair.portion = portion
        pair.fromClient = { bytes in bytes = Records.fragmented(bytes, size: size) }
        let step = pair.handshake()
        #expect(step.isComplete == passes)
        #expect(pair.server.facts[.serverName] == .text("blog.example"))
      }
    }
  }

  @Test func hostsAreChosenByTable() {
    let selector = HostSelector(
      names: [["a.example"], ["*.example", "*.0.0.1"], ["b.example", "a.example"]], refusesUnknown: false)
    let expected: [(String?, HostSelector.Choice)] = [
      ("a.example", .host(0)), ("b.example", .host(2)), ("c.example", .host(1)), ("example", .listener),
      ("x.c.example", .listener), (".example", .listener), ("10.0.0.1", .listener), (nil, .listener),
      ("", .listener), ("*.example", .host(1)),
    ]
    for (name, choice) in expected { #expect(selector.choose(name) == choice, "\(name ?? "none")") }
    #expect(HostSelector(names: [["a.example"]], refusesUnknown: true).choose("b.example") == .refused)
    #expect(HostSelector(names: [["a.example"]], refusesUnknown: true).choose(nil) == .refused)
  }

  @Test func everyHostsErrorsAreTold() throws {
    let scene = try Self.scene.get()
    let shared = try TestPKI.shared.get()
    let (context, errors) = ServerContext.load(
      try Self.options {
        $0.identity.privateKeys = [scene.blog.keyPEM]
        $0.hosts[0].identity = IdentityOptions(
          certificates: [scene.blog.pem], privateKeys: [shared.client.keyPEM])
        $0.hosts[1].bundles = [TrustBundleFile(pem: [])]
      })
    #expect(context == nil)
    #expect(errors.map(\.code) == ["key-mismatch", "key-mismatch", "no-certificate"])
    #expect(errors.map(\.host) == [nil, 0, 1])
  }

  @Test func findingsAreToldOfTheirHost() throws {
    let context = try ServerContext(Self.options { $0.hosts[0].names.append("www.blog.example") })
    let findings = context.findings(at: TestPKI.now)
    #expect(findings.map(\.code) == ["name-not-covered", "name-not-covered"])
    #expect(findings.map(\.host) == [0, 1])
    #expect(findings[0].message == "the certificate (CN=blog.example) is not for www.blog.example")
    #expect(
      findings[1].message
        == "the certificate (CN=db.example) is not for *.shop.example, xn--bcher-kva.example")
    // What hosts share with the listener is told once, as the listener's.
    let late = Timestamp(seconds: TestPKI.notAfter.seconds + 1)
    #expect(
      context.findings(at: late).filter { $0.code == "certificate-expired" }.map(\.host) == [
        nil, nil, 0, 0, 1,
      ])
  }

  @Test func sessionsOfEveryHostHaveAContextOfTheirOwn() throws {
    let scene = try Self.scene.get()
    let contexts = try [
      ServerContext(Self.options()), ServerContext(Self.options { $0.listener = "other" }),
      ServerContext(Self.options { $0.trust.bundles[0].label = "x" }),
      ServerContext(Self.options { $0.hosts[0].bundles?[0].pem += scene.shopCA.pem }),
      ServerContext(Self.options { $0.trust.revocation.isRequired = true }),
    ]
    let first = contexts[0]
    let ids = ([first.ownHost] + first.hosts).map(\.sessionContext)
    #expect(Set(ids).count == 3 && ids.allSatisfy { $0.count == 32 })
    #expect(contexts[1].hosts[0].sessionContext != first.hosts[0].sessionContext)
    #expect(contexts[2].ownHost.sessionContext != first.ownHost.sessionContext)
    #expect(contexts[2].hosts[0].sessionContext == first.hosts[0].sessionContext)
    #expect(contexts[3].hosts[0].sessionContext != first.hosts[0].sessionContext)
    // What is asked of CRLs holds for all hosts.
    #expect(contexts[4].hosts[0].sessionContext != first.hosts[0].sessionContext)
  }
}

/// TLS records (RFC 8446 §5.1).
enum Records {
  /// Handshake records in clear, cut into records of `size` bytes each.
  static func fragmented(_ bytes: [UInt8], size: Int) -> [UInt8] {
    var out: [UInt8] = []
    var rest = bytes[...]
    while rest.count >= 5 {
      let start = rest.startIndex
      let length = Int(rest[start + 3]) << 8 | Int(rest[start + 4])
      let end = min(rest.endIndex, start + 5 + length)
      guard rest[start] == 22 else {
        out += rest[start..<end]
        rest = rest[end...]
        continue
      }
      var body = rest[(start + 5)..<end]
      while !body.isEmpty {
        let piece = body.prefix(size)
        out += rest[start..<(start + 3)] + [UInt8(piece.count >> 8), UInt8(piece.count & 0xff)] + piece
        body = body.dropFirst(size)
      }
      rest = rest[end...]
    }
    return out + rest
  }
}
