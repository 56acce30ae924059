import AccessPolicy
import Foundation
import GatewayConfiguration
import Glibc
import TLSEngine
import Testing

@testable import ControlPlane

/// Configurations on disk: what is read, and what is refused.
struct ConfigurationLoaderTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.write("c.yaml", Self.configuration)
    try folder.write("tls/a.pem", "certificate", mode: 0o644)
    try folder.write("tls/a.key", "key")
    try folder.write("tls/ca.pem", "authority", mode: 0o644)
    try folder.write("Policies/b.yaml", Self.rule("b"))
    try folder.write("Policies/a.yaml", Self.rule("a"))
    try folder.write("Policies/ignored.txt", "not YAML: [")
  }

  private func load() -> (configuration: LoadedConfiguration?, diagnostics: [String]) {
    let (configuration, diagnostics) = ConfigurationLoader.load(path: folder.path("c.yaml"))
    let lines = diagnostics.map { finding in
      "\(finding.location): \(finding.code): \(finding.message)\(finding.hint.map { " (\($0))" } ?? "")"
        .replacing(folder.url.path + "/", with: "")
    }
    return (configuration, lines)
  }

  @Test func everythingThatIsNamedIsReadOnce() throws {
    let (configuration, diagnostics) = load()
    #expect(diagnostics == [])
    let loaded = try #require(configuration)
    #expect(
      loaded.files.map { $0.path.replacing(folder.url.path + "/", with: "") } == [
        "c.yaml", "tls/a.pem", "tls/a.key", "tls/ca.pem", "Policies/a.yaml", "Policies/b.yaml",
      ])
    #expect(loaded.files[2].bytes == Array("key".utf8))
    #expect(loaded.documents.map { $0.rules.map(\.name.value) } == [["a"], ["b"]])
    #expect(loaded.tls.map(\.identity?.certificates) == [[Array("certificate".utf8)]])
    #expect(loaded.tls.map(\.identity?.privateKeys) == [[Array("key".utf8)]])
    #expect(loaded.tls.map(\.clientCA) == [[TrustBundleFile(pem: Array("authority".utf8))]])
  }

  private static let hosts = """
          client_ca: [{label: all, file: tls/ca.pem}]
          private_key_passphrase: tls/words
          hosts:
            - server_name: a.example
              pkcs12: tls/a.p12
              private_key_passphrase: tls/words
              client_ca: tls/a.pem
            - {server_name: b.example}
    """

  private func writeHosts() throws {
    try folder.write("c.yaml", Self.configuration.replacing("      client_ca: tls/ca.pem", with: Self.hosts))
    try folder.write("tls/a.p12", "bundle")
    try folder.write("tls/words", "battery staple\r\n")
  }

  @Test func hostsAreReadAndPassphrasesAreKeptOutOfTheLog() throws {
    try writeHosts()
    let (configuration, diagnostics) = load()
    #expect(diagnostics == [])
    let loaded = try #require(configuration)
    let tls = try #require(loaded.tls.first)
    let words = Array("battery staple".utf8)
    #expect(tls.clientCA.map(\.label) == ["all"])
    #expect(tls.identity?.passphrase == words)
    #expect(tls.hosts.map(\.identity?.pkcs12) == [Array("bundle".utf8), nil])
    #expect(tls.hosts.map(\.identity?.passphrase) == [words, nil])
    #expect(tls.hosts.map(\.clientCA) == [[TrustBundleFile(pem: Array("certificate".utf8))], nil])
    #expect(loaded.files.contains { $0.path.hasSuffix("tls/a.p12") })
    #expect(!loaded.files.contains { $0.path.hasSuffix("tls/words") })
    var dumped = ""
    dump(loaded, to: &dumped)
    #expect(!dumped.contains("battery") && !dumped.contains("- 98"))
  }

  @Test func whoOnlyAsksNeedsNoKeyOfAHost() throws {
    try writeHosts()
    for name in ["tls/a.key", "tls/a.p12", "tls/words"] {
      try FileManager.default.removeItem(atPath: folder.path(name))
    }
    #expect(load().diagnostics.count == 4)
    let (loaded, diagnostics) = ConfigurationLoader.load(path: folder.path("c.yaml"), isServed: false)
    #expect(diagnostics == [])
    #expect(loaded?.tls.first?.hosts.map { $0.clientCA?.count } == [1, nil])
    #expect(loaded?.tls.first?.identity == nil)
  }

  @Test(arguments: [("tls/words", "passphrase file"), ("tls/a.p12", "PKCS #12 file")])
  func secretsOfHostsAreNotForEveryone(_ file: String, _ what: String) throws {
    try writeHosts()
    try folder.write(file, "battery", mode: 0o644)
    let (configuration, diagnostics) = load()
    #expect(configuration == nil)
    #expect(!diagnostics.isEmpty)
    for finding in diagnostics {
      #expect(finding.contains("insecure-permissions: the \(what) \(file) can be read by everyone"))
    }
  }

  @Test func aFileThatTwoGlobsAndALinkReachCountsOnce() throws {
    try folder.link("Policies/z.yaml", to: "Policies/a.yaml")
    try folder.write(
      "c.yaml",
      Self.configuration.replacing("[Policies/*.yaml]", with: "[Policies/*.yaml, ./Policies/a.yaml]"))
    let (configuration, diagnostics) = load()
    #expect(diagnostics == [])
    #expect(configuration?.documents.map { $0.rules.map(\.name.value) } == [["a"], ["b"]])
  }

  @Test func noSecretIsInADescription() throws {
    let loaded = try #require(load().configuration)
    var dumped = ""
    dump(loaded, to: &dumped)
    dump(loaded.tls, to: &dumped)
    dumped += "\(loaded) \(loaded.tls) \(loaded.files) \(String(reflecting: loaded.files))"
    #expect(!dumped.contains("107, 101, 121") && !dumped.contains("- 107"))
  }

  @Test func aConfigurationThatIsNotThere() {
    let (configuration, diagnostics) = ConfigurationLoader.load(path: folder.path("none.yaml"))
    #expect(configuration == nil)
    #expect(diagnostics.map(\.code) == ["unreadable-file"])
    #expect(diagnostics.map(\.location) == [SourceLocation(file: folder.path("none.yaml"))])
  }

  @Test func filesThatAreNotThereAreNamedWhereTheyAreNamed() throws {
    for name in ["tls/a.pem", "tls/a.key", "tls/ca.pem"] {
      try FileManager.default.removeItem(atPath: folder.path(name))
    }
    let (configuration, diagnostics) = load()
    #expect(configuration == nil)
    let hint = "(relative paths begin at the folder of the configuration file)"
    #expect(
      diagnostics == [
        "c.yaml:6:20: unreadable-file: cannot read tls/a.pem: open: No such file or directory \(hint)",
        "c.yaml:7:20: unreadable-file: cannot read tls/a.key: open: No such file or directory \(hint)",
        "c.yaml:8:18: unreadable-file: cannot read tls/ca.pem: open: No such file or directory \(hint)",
      ])
  }

  @Test(arguments: [
    (0o604, "read by everyone (mode 0604)", "0600"), (0o602, "written by everyone (mode 0602)", "0600"),
    (0o660, "written by its group (mode 0660)", "0640"),
    (0o666, "read by everyone and written by everyone and written by its group (mode 0666)", "0640"),
  ])
  func aKeyThatOthersReachIsRefused(_ mode: Int, _ fault: String, _ better: String) throws {
    try folder.write("tls/a.key", "key", mode: mode)
    let (configuration, diagnostics) = load()
    #expect(configuration == nil)
    #expect(
      diagnostics == [
        "c.yaml:7:20: insecure-permissions: the private key tls/a.key can be \(fault) "
          + "(chmod \(better) tls/a.key)"
      ])
  }

  @Test(arguments: [0o400, 0o600, 0o440, 0o640])
  func aKeyThatOnlyItsOwnerWritesIsAccepted(_ mode: Int) throws {
    try FileManager.default.setAttributes(
      [.posixPermissions: mode], ofItemAtPath: folder.path("tls/a.key"))
    #expect(load().diagnostics == [])
  }

  @Test func whatIsNoFileIsRefused() throws {
    try FileManager.default.removeItem(atPath: folder.path("tls/a.pem"))
    try FileManager.default.createDirectory(
      atPath: folder.path("tls/a.pem"), withIntermediateDirectories: true)
    try folder.write("tls/ca.pem", "")
    #expect(
      load().diagnostics == [
        "c.yaml:6:20: unreadable-file: tls/a.pem is not a regular file",
        "c.yaml:8:18: empty: tls/ca.pem is empty",
      ])
  }

  /// A terabyte without a block on the disk: its length is looked at before there is a buffer for it.
  @Test func aFileThatIsLongerThanTheMemoryIsRefused() throws {
    let file = try #require(FileHandle(forWritingAtPath: folder.path("tls/ca.pem")))
    try file.truncate(atOffset: 1 << 40)
    try file.close()
    #expect(load().diagnostics == ["c.yaml:8:18: too-large: tls/ca.pem is longer than 4194304 bytes"])
  }

  /// So that both see the same bytes, and the audit record names the file once.
  @Test func filesThatTwoListenersShareAreReadOnce() throws {
    let second = """
        - name: db2
          listen: 127.0.0.1:6433
          tls: {certificate: tls/a.pem, private_key: tls/a.key, client_ca: tls/ca.pem}
          upstream: db
      upstreams:
      """
    try folder.write("c.yaml", Self.configuration.replacing("upstreams:", with: second))
    let (configuration, diagnostics) = load()
    #expect(diagnostics == [])
    #expect(configuration?.files.count == 6)
    #expect(configuration?.tls.count == 2)
  }

  /// Opening it would wait for a writer that never comes.
  @Test(.timeLimit(.minutes(1))) func aPipeIsNotWaitedFor() throws {
    try FileManager.default.removeItem(atPath: folder.path("tls/ca.pem"))
    try #require(unsafe mkfifo(folder.path("tls/ca.pem"), 0o600) == 0)
    #expect(load().diagnostics == ["c.yaml:8:18: unreadable-file: tls/ca.pem is not a regular file"])
  }

  @Test func aFileOverTheBoundIsRefused() throws {
    try folder.write("tls/ca.pem", String(repeating: "x", count: (4 << 20) + 1))
    #expect(load().diagnostics == ["c.yaml:8:18: too-large: tls/ca.pem is longer than 4194304 bytes"])
  }

  @Test func aGlobWithoutAFileIsRefused() throws {
    try folder.write(
      "c.yaml", Self.configuration.replacing("[Policies/*.yaml]", with: "[Policies/*.yml, none/*.yaml]"))
    #expect(
      load().diagnostics == [
        "c.yaml:13:12: no-match: no file matches Policies/*.yml "
          + "(relative paths begin at the folder of the configuration file)",
        "c.yaml:13:28: unreadable-file: cannot read a folder of none/*.yaml: No such file or directory",
      ])
  }

  /// What only all files together show: the compiler knows the listeners of the configuration.
  @Test func whatAPolicyRefersToMustBeThere() throws {
    try folder.write(
      "Policies/a.yaml",
      "version: 1\nrules: [{name: a, action: allow, listeners: [db]}, {name: c, action: deny, listeners: [dbx]}]\n"
    )
    try folder.write("Policies/b.yaml", Self.rule("a"))
    let (configuration, diagnostics) = ConfigurationLoader.load(path: folder.path("c.yaml"))
    #expect(configuration == nil)
    #expect(
      diagnostics.map { "\($0.location)".replacing(folder.url.path + "/", with: "") + " \($0.code)" } == [
        "Policies/a.yaml:2:88 unknown-listener", "Policies/b.yaml:3:12 duplicate-rule",
      ])
  }

  /// One run shows the mistakes of every file.
  @Test func mistakesOfAllFilesAreShownInOrder() throws {
    try folder.write("c.yaml", Self.configuration + "wrokers: 2\n")
    try folder.write("Policies/a.yaml", "version: 1\nrules: [{name: a}]\n")
    try folder.write("Policies/b.yaml", "version: 1\nrules: [{name: b, action: alow}]\n")
    try folder.write("tls/a.key", "key", mode: 0o644)
    let (configuration, diagnostics) = load()
    #expect(configuration == nil)
    #expect(
      diagnostics.map { $0.split(separator: " ").prefix(2).joined(separator: " ") } == [
        "Policies/a.yaml:2:9: missing-key:", "Policies/b.yaml:2:27: invalid-value:",
        "c.yaml:7:20: insecure-permissions:", "c.yaml:14:1: unknown-key:",
      ])
  }

  private static func rule(_ name: String) -> String {
    "version: 1\nrules:\n  - {name: \(name), action: allow}\n"
  }

  private static let configuration = """
    version: 1
    listeners:
      - name: db
        listen: 127.0.0.1:6432
        tls:
          certificate: tls/a.pem
          private_key: tls/a.key
          client_ca: tls/ca.pem
        upstream: db
    upstreams:
      - name: db
        address: 127.0.0.1:5432
    policies: [Policies/*.yaml]

    """
}
