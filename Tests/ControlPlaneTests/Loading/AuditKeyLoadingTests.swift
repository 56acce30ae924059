import AccessPolicy
import Foundation
import Testing

@testable import ControlPlane

/// The key of the audit log's chain, as the configuration names it.
struct AuditKeyLoadingTests {
  private let folder: TemporaryFolder
  /// 65 bytes, as `openssl rand -hex 32` writes them.
  private static let key = "8c1f0b7d95e2a3467b80cd12fe9a543210fedcba98765432100123456789abcd\n"

  init() throws {
    folder = try TemporaryFolder()
    try folder.write("c.yaml", Self.configuration)
    try folder.write("a.pem", "certificate")
    try folder.write("a.key", "key of the listener")
    try folder.write("ca.pem", "authority")
    try folder.write("p.yaml", "version: 1\nrules: [{name: a, action: allow}]\n")
    try folder.write("audit.key", Self.key)
  }

  private func load() -> (configuration: LoadedConfiguration?, diagnostics: [String]) {
    let (configuration, diagnostics) = ConfigurationLoader.load(path: folder.path("c.yaml"))
    let lines = diagnostics.map { finding in
      "\(finding.location): \(finding.code): \(finding.message)\(finding.hint.map { " (\($0))" } ?? "")"
        .replacing(folder.url.path + "/", with: "")
    }
    return (configuration, lines)
  }

  @Test func everyByteOfTheFileIsTheKey() throws {
    let (configuration, diagnostics) = load()
    #expect(diagnostics == [])
    #expect(configuration?.auditKey?.bytes == Array(Self.key.utf8))
  }

  /// The hash of every file in ``LoadedConfiguration/files`` goes to the log.
  @Test func theKeyIsNotAmongTheFiles() throws {
    let loaded = try #require(load().configuration)
    #expect(!loaded.files.contains { $0.path.hasSuffix("audit.key") || $0.bytes == Array(Self.key.utf8) })
    #expect(loaded.files.count == 5)
  }

  @Test func theKeyIsInNoDescription() throws {
    let loaded = try #require(load().configuration)
    let key = try #require(loaded.auditKey)
    var dumped = ""
    dump(loaded, to: &dumped)
    dump(key, to: &dumped)
    dumped += "\(loaded) \(key) \(String(reflecting: key))"
    // The first bytes as a dump would list them, and as they are.
    #expect(!dumped.contains("- 56") && !dumped.contains("56, 99, 49") && !dumped.contains("8c1f0b7d"))
  }

  private static let place = "c.yaml:12:16"

  @Test(arguments: [
    ("", "weak-key: the audit key audit.key has 0 bytes, expected at least 32"),
    (
      "0123456789abcdef0123456789abcde",
      "weak-key: the audit key audit.key has 31 bytes, expected at least 32"
    ),
    (String(repeating: "abcdefg", count: 10), "weak-key: the audit key audit.key is not random"),
  ])
  func aKeyThatCanBeGuessedIsRefused(_ key: String, _ finding: String) throws {
    try folder.write("audit.key", key)
    let (configuration, diagnostics) = load()
    #expect(configuration == nil)
    #expect(diagnostics == ["\(Self.place): \(finding) ((umask 077; openssl rand -out audit.key 32))"])
  }

  @Test func aLongFileIsNoKey() throws {
    try folder.write("audit.key", String(repeating: "0123456789", count: 410))
    #expect(load().diagnostics == ["\(Self.place): too-large: audit.key is longer than 4096 bytes"])
  }

  @Test func aKeyThatOthersReachIsRefused() throws {
    try folder.write("audit.key", Self.key, mode: 0o644)
    #expect(
      load().diagnostics == [
        "\(Self.place): insecure-permissions: the audit key audit.key can be read by everyone (mode 0644) "
          + "(chmod 0640 audit.key)"
      ])
  }

  @Test func aKeyThatIsNotThereIsAnError() throws {
    try FileManager.default.removeItem(atPath: folder.path("audit.key"))
    #expect(load().diagnostics.count == 1 && load().configuration == nil)
  }

  /// By its path or by its bytes: the hash of the other file is in the log.
  @Test(arguments: ["a link", "a copy"]) func aKeyOfSomethingElseIsRefused(_ how: String) throws {
    try FileManager.default.removeItem(atPath: folder.path("audit.key"))
    let text = "-----BEGIN PRIVATE KEY----- of the listener"
    try folder.write("a.key", text)
    if how == "a link" {
      try folder.link("audit.key", to: "a.key")
    } else {
      try folder.write("audit.key", text)
    }
    #expect(
      load().diagnostics == [
        "\(Self.place): shared-key: the audit key audit.key holds the same as a.key, whose hash is in the log "
          + "(give the log a key of its own: (umask 077; openssl rand -out FILE 32))"
      ])
  }

  private static let configuration = """
    version: 1
    listeners:
      - name: db
        listen: 127.0.0.1:6432
        tls: {certificate: a.pem, private_key: a.key, client_ca: ca.pem}
        upstream: db
    upstreams:
      - name: db
        address: 127.0.0.1:5432
    policies: [p.yaml]
    # The chain with a key.
    audit: {  key: audit.key, path: log}

    """
}
