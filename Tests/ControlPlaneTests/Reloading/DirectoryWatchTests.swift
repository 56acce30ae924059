import EventLoop
import Foundation
import Testing

@testable import ControlPlane

/// What the kernel tells of folders.
struct DirectoryWatchTests {
  private let folder: TemporaryFolder
  private let watch: DirectoryWatch
  private let poller: Poller

  init() throws {
    folder = try TemporaryFolder()
    watch = DirectoryWatch { Issue.record("\($0)") }
    poller = try Poller()
    try poller.add(try #require(watch.descriptor), token: 7, mode: .level)
  }

  private func hasNews() throws -> Bool {
    var heard = false
    try poller.wait(timeoutMilliseconds: 0) { _, _ in heard = true }
    watch.drain()
    return heard
  }

  @Test func changesAreTold() throws {
    try folder.write("a", "1")
    watch.follow([folder.url.path, folder.path("missing")])
    #expect(try !hasNews())
    try folder.write("b", "1")
    #expect(try hasNews())
    try FileManager.default.moveItem(atPath: folder.path("b"), toPath: folder.path("c"))
    #expect(try hasNews())
    try FileManager.default.removeItem(atPath: folder.path("c"))
    #expect(try hasNews())
    #expect(try !hasNews())
  }

  @Test func whatIsNotFollowedAnyMoreIsQuiet() throws {
    try folder.write("one/a", "1")
    try folder.write("two/a", "1")
    watch.follow([folder.path("one")])
    watch.follow([folder.path("two")])
    _ = try hasNews()
    try folder.write("one/b", "1")
    #expect(try !hasNews())
    try folder.write("two/b", "1")
    #expect(try hasNews())
  }

  @Test func aFolderThatWasReplacedIsFollowedAgain() throws {
    try folder.write("one/a", "1")
    watch.follow([folder.path("one")])
    try FileManager.default.moveItem(atPath: folder.path("one"), toPath: folder.path("old"))
    try folder.write("one/a", "1")
    #expect(try hasNews(), "that it was moved is told")
    watch.follow([folder.path("one")])
    _ = try hasNews()
    try folder.write("one/b", "1")
    #expect(try hasNews())
  }
}
