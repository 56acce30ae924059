import AccessPolicy
import AuditLog
import Foundation
import Glibc
import TLSEngine
import Testing

@testable import ControlPlane

/// The file that `audit.path` names, as `check` looks at it: what the start would refuse, and nothing is done.
struct AuditLogLoadingTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.write("a.pem", "certificate")
    try folder.write("a.key", "key of the listener")
    try folder.write("ca.pem", "authority")
    try folder.write("p.yaml", "version: 1\nrules: [{name: a, action: allow}]\n")
    try folder.write("audit.key", "8c1f0b7d95e2a3467b80cd12fe9a543210fedcba98765432100123456789abcd\n")
  }

  private func findings(_ audit: String, isServed: Bool = true) throws -> [String] {
    try folder.write("c.yaml", Self.configuration + "audit: {\(audit)}\n")
    return ConfigurationLoader.load(path: folder.path("c.yaml"), isServed: isServed).diagnostics.map {
      "\($0.location): \($0.code): \($0.message)\($0.hint.map { " (\($0))" } ?? "")"
        .replacing(folder.url.path + "/", with: "")
    }
  }

  private func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted()
  }

  private func write(_ name: String, _ integrity: Digest? = { SHA256.hash($0) }) throws {
    let writer = try AuditTesting.writer(path: folder.path(name), integrity: integrity)
    for number in 1...3 { writer.append(AuditTesting.record(number)) }
    writer.shutdown(within: .seconds(5))
  }

  private static let place = "c.yaml:11:15: unusable-audit-log: "

  @Test func aFileThatIsNotThereIsNotMade() throws {
    #expect(try findings("path: audit.log") == [])
    try folder.link("audit.link", to: "made.log")
    #expect(try findings("path: audit.link") == [])
    #expect(try names() == ["a.key", "a.pem", "audit.key", "audit.link", "c.yaml", "ca.pem", "p.yaml"])
  }

  @Test(arguments: ["none/audit.log", "a.link"]) func aFolderThatIsNotThereIsToldOf(_ path: String) throws {
    try folder.link("a.link", to: "none/audit.log")
    #expect(
      try findings("path: \(path)") == [
        Self.place + "cannot open the audit log none/audit.log: stat: No such file or directory (ENOENT) "
          + "(create the folder; relative paths begin at the folder of the configuration file)"
      ])
  }

  @Test func aFolderAndASocketAreNoFiles() throws {
    try FileManager.default.createDirectory(
      atPath: folder.path("folder"), withIntermediateDirectories: false)
    #expect(
      try findings("path: folder") == [
        Self.place + "cannot open the audit log folder: it is a folder (name a file in it)"
      ])
    #expect(
      try findings("path: p.yaml/log") == [
        Self.place + "cannot open the audit log p.yaml/log: stat: Not a directory (ENOTDIR) "
          + "(a part of the path is a file: name another one)"
      ])
  }

  @Test(arguments: ["a pipe", "a device"]) func whatCannotBeSyncedIsToldOf(_ kind: String) throws {
    if kind == "a pipe" {
      #expect(unsafe mkfifo(folder.path("log"), 0o600) == 0)
    } else {
      #expect(unsafe symlink("/dev/null", folder.path("log")) == 0)
    }
    #expect(
      try findings("path: log, durability: synced") == [
        Self.place + "cannot open the audit log log: it is no regular file, and nothing else can be synced "
          + "(name a file, or write durability: written)"
      ])
    // Whether a pipe will have a reader, the start alone can tell.
    #expect(try findings("path: log") == [])
  }

  @Test func aFileOfSomethingElseIsNoLog() throws {
    #expect(
      try findings("path: p.yaml") == [
        Self.place + "p.yaml is no audit log: its lines are no records (move it away or name another file)"
      ])
  }

  @Test func aLogOfAnotherKeyIsToldOf() throws {
    try write("log")
    #expect(try findings("path: log") == [])
    let finding =
      Self.place + "the last record of log was changed, or another audit.key has sealed it "
      + "(move the file away, so that a new chain begins)"
    #expect(try findings("path: log, key: audit.key") == [finding])
    // A key that cannot be read is one finding and not two.
    #expect(try findings("path: log, key: none.key").count == 1)
    // Nobody serves: neither the log nor its key is looked at.
    #expect(try findings("path: log, key: none.key", isServed: false) == [])
  }

  @Test func aLogWithoutAChainIsToldOf() throws {
    try write("log", nil)
    #expect(try findings("path: log, integrity: false") == [])
    #expect(
      try findings("path: log") == [
        Self.place + "the last record of log is not sealed: was it written with integrity: false? "
          + "(move it away or name another file)"
      ])
  }

  @Test func aLogThatARunningGatewayHoldsIsNoFinding() throws {
    let writer = try AuditTesting.writer(path: folder.path("log"), integrity: { SHA256.hash($0) })
    writer.append(AuditTesting.record(1))
    #expect(AuditTesting.eventually { writer.queuedCount == 0 })
    #expect(try findings("path: log") == [])
    writer.shutdown(within: .seconds(5))
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

    """
}
