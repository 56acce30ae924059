import Foundation
import Testing

@testable import ControlPlane

/// Which folders are watched for changes, and what counts as one.
struct FileTraceTests {
  private let folder: TemporaryFolder
  private let home: String

  init() throws {
    folder = try TemporaryFolder()
    // Where the folder of temporary files is itself behind a link, its place is watched too.
    home = folder.url.resolvingSymlinksInPath().path
  }

  private func trace(_ paths: [String], globs: [String] = []) throws -> FileTrace {
    var trace = FileTrace()
    for path in paths { trace.note(folder.path(path), FileState(of: folder.path(path))) }
    for glob in globs {
      trace.note(glob: folder.path(glob), (try? PathExpansion.expand(folder.path(glob))) ?? [])
    }
    return trace
  }

  /// The watched folders below the folder, relative to it.
  private func watched(_ trace: FileTrace) -> [String] {
    trace.folders.filter { $0.hasPrefix(home) }.map {
      String($0.dropFirst(home.count).drop { $0 == "/" })
    }.sorted()
  }

  @Test func theFolderOfAFileIsWatched() throws {
    try folder.write("tls/a.pem", "a")
    #expect(watched(try trace(["tls/a.pem", "tls/missing.pem", "c.yaml"])) == ["", "tls"])
  }

  @Test func everyLinkOnTheWayIsWatchedAndWhereItLeads() throws {
    try folder.write("volume/..2026_1/a.pem", "a")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("volume/..data"), withDestinationPath: "..2026_1")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("volume/a.pem"), withDestinationPath: "..data/a.pem")
    try folder.write("links/x", "")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("links/a.pem"), withDestinationPath: home + "/volume/a.pem")
    #expect(watched(try trace(["links/a.pem"])) == ["links", "volume", "volume/..2026_1"])
  }

  @Test func aLinkInACircleEnds() throws {
    try folder.link("a", to: "b")
    try folder.link("b", to: "a")
    #expect(watched(try trace(["a"])) == [""])
  }

  @Test func aGlobIsWatchedWhereItBegins() throws {
    try folder.write("p/one/rules.yaml", "")
    try folder.write("p/two/rules.yaml", "")
    #expect(
      watched(try trace([], globs: ["p/*/rules.yaml", "none/*.yaml"])) == ["none", "p", "p/one", "p/two"])
  }

  enum Change: CaseIterable, Sendable { case content, mode, replaced, gone, matched, none }

  @Test(arguments: Change.allCases)
  func everyChangeIsSeen(_ change: Change) throws {
    try folder.write("a.pem", "first")
    try folder.write("p/one.yaml", "")
    let before = try trace(["a.pem", "b.pem"], globs: ["p/*.yaml"])
    switch change {
    case .content:
      let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.path("a.pem")))
      try handle.write(contentsOf: Data("longer than before".utf8))
      try handle.close()
    case .mode:
      try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder.path("a.pem"))
    case .replaced:
      try folder.write("new", "first")
      try FileManager.default.removeItem(atPath: folder.path("a.pem"))
      try FileManager.default.moveItem(atPath: folder.path("new"), toPath: folder.path("a.pem"))
    case .gone: try FileManager.default.removeItem(atPath: folder.path("a.pem"))
    case .matched: try folder.write("p/two.yaml", "")
    case .none: break
    }
    #expect((before.again() == before) == (change == .none))
  }

  /// Times are as coarse as the kernel's tick: what was just written may be written again unseen.
  @Test func whatWasJustWrittenIsNotTrusted() throws {
    try folder.write("a.pem", "first")
    let trace = try trace(["a.pem"])
    let now = Int64(Date().timeIntervalSince1970 * 1_000_000_000)
    #expect(trace.isFresh(at: now + 100_000_000))
    #expect(!trace.isFresh(at: now + 10_000_000_000))
    #expect(!trace.isFresh(at: now - 10_000_000_000), "a clock of another machine may be ahead")
  }
}
