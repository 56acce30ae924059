import AccessPolicy
import Testing

@testable import GatewayConfiguration

/// Configurations that are accepted, and what they mean.
struct ValidConfigurationTests {
  private func read(_ text: String, file: String = "/etc/countersign/c.yaml") throws -> Configuration {
    let (configuration, diagnostics) = ConfigurationReader.read(Array(text.utf8), file: file)
    #expect(diagnostics == [])
    return try #require(configuration)
  }

  @Test func theSmallestOneGetsTheDefaultsOfTheContract() throws {
    let configuration = try read(Example.configuration)
    #expect(configuration.file == "/etc/countersign/c.yaml")
    #expect(configuration.policies.map(\.value) == ["/etc/countersign/p.yaml"])
    #expect(configuration.audit.destination == .standardOutput)
    #expect(configuration.audit.integrity && configuration.audit.key == nil)
    #expect(configuration.audit.durability == .written && configuration.audit.whenUnavailable == .refuse)
    #expect(configuration.drainTimeout == .seconds(30))
    #expect(configuration.workers == nil)
    #expect(configuration.limits == Limits())
    #expect(configuration.limits.maxConnections == nil)
    #expect(configuration.limits.maxHandshakes == 512)
    #expect(configuration.limits.handshakeTimeout == .seconds(10))
    #expect(configuration.limits.idleTimeout == .seconds(3600))
    #expect(configuration.limits.maxConnectionAge == .zero)
    let listener = try #require(configuration.listeners.first)
    #expect(listener.name == Located("db", at: SourceLocation(file: configuration.file, line: 3, column: 11)))
    #expect(listener.address.value == .ip(IPAddress(v4: 0), port: 6432))
    #expect(listener.tls.identity.certificate(0).value == "/etc/countersign/a.pem")
    #expect(listener.tls.identity.privateKey(0).value == "/etc/countersign/a.key")
    #expect(listener.tls.clientCA.first?.file.value == "/etc/countersign/ca.pem")
    #expect(listener.tls.clientCA.first?.file.location.description == "/etc/countersign/c.yaml:8:18")
    #expect(listener.tls.revocation.files.isEmpty && listener.tls.revocation.stale == .deny)
    #expect(!listener.tls.revocation.isRequired)
    #expect(listener.tls.minVersion == .tls12)
    #expect(listener.tls.alpn == [])
    #expect(listener.tls.resumption)
    #expect(listener.upstream.value == "db")
    #expect(
      configuration.upstreams.first?.addresses.first?.value == .ip(IPAddress(v4: 0x7F00_0001), port: 5432))
    #expect(configuration.upstreams.first?.connectTimeout == .seconds(5))
  }

  @Test func everyAvailableKeyIsRead() throws {
    let configuration = try read(Self.everything, file: "c.yaml")
    let listener = try #require(configuration.listeners.first)
    #expect(listener.address.value == .ip(IPAddress(v6: 0), port: 6432))
    #expect(listener.tls.identity.certificate(0).value == "tls/server.pem")
    #expect(listener.tls.minVersion == .tls13)
    #expect(listener.tls.alpn == ["h2", "http/1.1"])
    #expect(!listener.tls.resumption)
    #expect(
      listener.limits
        == Limits(
          maxConnections: 10, maxConnectionsPerCaller: 25, maxHandshakes: 20, handshakeTimeout: .seconds(3),
          idleTimeout: .seconds(300), maxConnectionAge: .seconds(86400)))
    #expect(configuration.limits.connectionRatePerSource == ConnectionRate(count: 300, per: .seconds(60)))
    #expect(configuration.limits.maxConnections == 1000)
    #expect(configuration.limits.handshakeTimeout == .seconds(5))
    #expect(configuration.upstreams.map(\.connectTimeout) == [.seconds(1), .seconds(5), .seconds(5)])
    #expect(
      configuration.upstreams.map { $0.addresses.map(\.value) } == [
        [.name("db-1.internal", port: 5432)], [.unix("/run/app.sock")], [.ip(IPAddress(v6: 1), port: 80)],
      ])
    #expect(configuration.policies.map(\.value) == ["Policies/*.yaml", "/etc/more/*.yaml"])
    #expect(configuration.audit.destination == .file("/var/log/countersign.log"))
    #expect(!configuration.audit.integrity)
    #expect(configuration.drainTimeout == .zero)
    #expect(configuration.workers == 4)
  }

  @Test(arguments: ["660", "0660", "\"0660\"", "'660'"])
  func aUnixListenerSaysWhoMayConnect(_ mode: String) throws {
    let text = try Example.configuration(
      replacing: "    listen: 0.0.0.0:6432",
      with: "    listen: unix:run/front.sock\n    socket: {mode: \(mode), user: 1000, group: www-data}")
    let listener = try #require(try read(text).listeners.first)
    #expect(listener.address.value == .unix("/etc/countersign/run/front.sock"))
    #expect(listener.socketFile.mode == 0o660)
    #expect(listener.socketFile.user?.value == "1000")
    #expect(listener.socketFile.group?.value == "www-data")
  }

  @Test func aUnixListenerIsForItsOwnUserUnlessItSaysMore() throws {
    let text = try Example.configuration(
      replacing: "    listen: 0.0.0.0:6432", with: "    listen: unix:/run/front.sock")
    let listener = try #require(try read(text).listeners.first)
    #expect(listener.socketFile.mode == 0o600)
    #expect(listener.socketFile.user == nil)
    #expect(listener.socketFile.group == nil)
  }

  @Test(arguments: ["web", "countersign.socket", "a b", "@x"])
  func socketsThatAreHandedOverHaveNames(_ name: String) throws {
    let text = try Example.configuration(
      replacing: "    listen: 0.0.0.0:6432", with: "    listen: \"systemd:\(name)\"")
    #expect(try read(text).listeners.first?.address.value == .systemd(name))
  }

  @Test(arguments: [
    "audit: {path: stderr}", "audit: {path: stderr, durability: written, when_unavailable: refuse}",
  ])
  func standardErrorIsADestination(_ audit: String) throws {
    let text = Example.configuration + audit + "\n"
    #expect(try read(text).audit.destination == .standardError)
  }

  @Test func whatTheAuditLogPromisesIsRead() throws {
    let text =
      Example.configuration
      + "audit: {path: log, durability: synced, when_unavailable: allow_unlogged, key: k}\n"
    let audit = try read(text).audit
    #expect(audit.destination == .file("/etc/countersign/log"))
    #expect(audit.durability == .synced && audit.whenUnavailable == .allowUnlogged && audit.integrity)
    #expect(audit.key?.value == "/etc/countersign/k")
  }

  /// Quotes change nothing: the schema says what a value is, not YAML.
  @Test(arguments: ["1.3", "\"1.3\"", "'1.3'"])
  func aVersionMayBeQuotedOrNot(_ version: String) throws {
    let text = try Example.configuration(
      replacing: "      client_ca: ca.pem", with: "      client_ca: ca.pem\n      min_version: \(version)")
    #expect(try read(text).listeners.first?.tls.minVersion == .tls13)
  }

  @Test func aBooleanWordOfOldYAMLIsATextWhereATextIsMeant() throws {
    let text = Example.configuration.replacing("db", with: "no")
    #expect(try read(text).listeners.first?.upstream.value == "no")
  }

  @Test func aByteOrderMarkAndWindowsLineEndsAreAccepted() throws {
    let text = "\u{FEFF}" + Example.configuration.replacing("\n", with: "\r\n")
    #expect(
      try read(text).listeners.first?.tls.clientCA.first?.file.location.description
        == "/etc/countersign/c.yaml:8:18")
  }

  @Test func hostsAndLabelsAreReadInOneSpelling() throws {
    let tls = """
            client_ca: [ca.pem, {label: workers, file: workers.pem}]
            hosts:
              - server_name: [Blog.Example.COM., "*.XN--BCHER-KVA.example"]
                certificate: [ec.pem, rsa.pem]
                private_key: [rsa.key, ec.key]
                private_key_passphrase: words
                ocsp_response: [ec.der]
                client_ca: {label: blog, file: blog.pem}
              - {server_name: shop.example, pkcs12: shop.p12}
              - {server_name: plain.example}
            unknown_server_name: refuse
      """
    let listener = try #require(
      try read(Example.configuration(replacing: "      client_ca: ca.pem", with: tls)).listeners.first)
    #expect(listener.tls.clientCA.map(\.label?.value) == [nil, "workers"])
    #expect(
      listener.tls.clientCA.map(\.file.value) == ["/etc/countersign/ca.pem", "/etc/countersign/workers.pem"])
    #expect(listener.tls.unknownServerName == .refuse)
    let hosts = listener.tls.hosts
    #expect(
      hosts.map { $0.serverNames.map(\.value) } == [
        ["blog.example.com", "*.xn--bcher-kva.example"], ["shop.example"], ["plain.example"],
      ])
    #expect(hosts[0].identity?.certificate(1).value == "/etc/countersign/rsa.pem")
    #expect(hosts[0].identity?.privateKey(1).value == "/etc/countersign/ec.key")
    #expect(hosts[0].identity?.passphrase?.value == "/etc/countersign/words")
    #expect(hosts[0].identity?.ocspResponses.map(\.value) == ["/etc/countersign/ec.der"])
    #expect(hosts[0].clientCA?.map(\.label?.value) == ["blog"])
    guard case .pkcs12(let file)? = hosts[1].identity?.source else {
      Issue.record("not a PKCS #12 file")
      return
    }
    #expect(file.value == "/etc/countersign/shop.p12")
    #expect(hosts[1].clientCA == nil && hosts[2].identity == nil && hosts[2].clientCA == nil)
    #expect(listener.tls.trustLabels == ["workers", "blog"])
  }

  @Test(arguments: [
    ("deny", Revocation.Staleness.deny), ("allow", .allow), ("{allow_for: 1h}", .allowFor(.seconds(3600))),
  ])
  func aStaleCRLGetsWhatIsWritten(_ text: String, _ stale: Revocation.Staleness) throws {
    let configuration = try read(Self.everything.replacing("{allow_for: 24h}", with: text))
    let revocation = try #require(configuration.listeners.first?.tls.revocation)
    #expect(revocation.stale == stale)
    #expect(revocation.isRequired)
    #expect(
      revocation.files.map(\.value) == ["/etc/countersign/tls/root.crl", "/etc/countersign/tls/issuing.crl"])
    #expect(revocation.files[1].location.description == "/etc/countersign/c.yaml:12:34")
  }

  private static let everything = """
    # Everything that this version has.
    ---
    version: 1
    listeners:
      - name: orders-db
        listen: "[::]:6432"
        protocol: tcp
        tls:
          certificate: [tls/server.pem]
          private_key: [tls/server.key]
          client_ca: [tls/clients-ca.pem]
          client_crl: [tls/root.crl, tls/issuing.crl]
          crl_stale: {allow_for: 24h}
          crl_required: true
          min_version: "1.3"
          alpn: [h2, http/1.1]
          unknown_server_name: default
          resumption: false
        upstream: orders-db
        limits: {max_connections: 10, handshake_timeout: 3s, max_connection_age: 1d, connection_rate_per_source: 0/s}
      - name: b
        listen: 127.0.0.1:1
        tls: {certificate: a, private_key: b, client_ca: c}
        upstream: app
      - name: c
        listen: 127.0.0.1:2
        tls: {certificate: a, private_key: b, client_ca: c}
        upstream: six
    upstreams:
      - name: orders-db
        address: db-1.internal:5432
        connect_timeout: 1s
        proxy_protocol: none
      - {name: app, address: "unix:/run/app.sock"}
      - {name: six, address: ["[::1]:80"]}
    policies: [Policies/*.yaml, /etc/more/*.yaml]
    audit: {path: /var/log/countersign.log, durability: written, when_unavailable: refuse, integrity: false}
    limits:
      max_connections: 1000
      max_connections_per_caller: 25
      max_handshakes: 20
      handshake_timeout: 5s
      idle_timeout: 5m
      max_connection_age: 0
      connection_rate_per_source: 300/m
    drain_timeout: 0s
    workers: 4
    """
}
