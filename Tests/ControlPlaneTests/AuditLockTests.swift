import AuditLog
import Glibc
import Testing

@testable import ControlPlane

/// A log has one writer: two would go on from the same record.
@Suite struct AuditLockTests {
  private static func refusal(_ path: String) -> String? {
    do {
      try AuditTesting.writer(path: path).shutdown(within: .zero)
      return nil
    } catch {
      return "\(error)"
    }
  }

  private static func held(_ path: String) -> String {
    "another process writes the audit log \(path): stop it, or name another file"
  }

  @Test func aSecondWriterIsRefusedWhileTheFirstLives() throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log", "link"]) }
    let path = folder.file("audit.log")
    let link = folder.file("link")
    #expect(unsafe symlink(path, link) == 0)
    let first = try AuditTesting.writer(path: path)
    #expect(Self.refusal(path) == Self.held(path))
    #expect(Self.refusal(link) == Self.held(link))
    first.append(AuditTesting.record(1))
    first.shutdown(within: .seconds(5))
    #expect(Self.refusal(path) == nil)
    #expect(AuditTesting.verify([AuditTesting.bytes(path)]).records == 1)
  }

  @Test func pipesAndDevicesHaveAnyNumberOfWriters() throws {
    let first = try AuditTesting.writer(path: "/dev/null")
    #expect(Self.refusal("/dev/null") == nil)
    first.shutdown(within: .seconds(5))
  }

  /// A signal without a rotation, which opens the file that is open.
  @Test func aReopenOfTheSameFileKeepsItsLock() throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log"]) }
    let path = folder.file("audit.log")
    let writer = try AuditTesting.writer(path: path)
    let answers = Answers()
    writer.reopen()
    writer.append(AuditTesting.record(1), answering: answers.add)
    #expect(AuditTesting.eventually { answers.receipts == [1] })
    #expect(writer.reopenProblem == nil)
    #expect(Self.refusal(path) == Self.held(path))
    writer.shutdown(within: .seconds(5))
  }

  @Test func aRotatedLogIsLockedToo() throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log", "audit.log.1"]) }
    let path = folder.file("audit.log")
    let writer = try AuditTesting.writer(path: path)
    let answers = Answers()
    #expect(unsafe rename(path, folder.file("audit.log.1")) == 0)
    writer.reopen()
    writer.append(AuditTesting.record(1), answering: answers.add)
    #expect(AuditTesting.eventually { answers.receipts == [1] })
    #expect(Self.refusal(path) == Self.held(path))
    // What was rotated away is let go.
    #expect(Self.refusal(folder.file("audit.log.1")) == nil)
    writer.shutdown(within: .seconds(5))
  }

  @Test func aReopenThatFindsAnotherWriterKeepsTheFile() throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log", "audit.log.1"]) }
    let path = folder.file("audit.log")
    let moved = folder.file("audit.log.1")
    let writer = try AuditTesting.writer(path: path)
    #expect(unsafe rename(path, moved) == 0)
    let other = try AuditTesting.writer(path: path)
    writer.reopen()
    #expect(AuditTesting.eventually { writer.reopenProblem != nil })
    #expect(
      writer.reopenProblem
        == "the audit log is not opened anew, and records go on into the old file: \(Self.held(path))")
    writer.append(AuditTesting.record(1))
    writer.shutdown(within: .seconds(5))
    other.shutdown(within: .seconds(5))
    #expect(AuditTesting.verify([AuditTesting.bytes(moved)]).records == 1)
    #expect(AuditTesting.bytes(path).isEmpty && writer.lostCount == 0)
  }

  @Test func aFileThatWasMadeAnewIsLocked() throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log"]) }
    let path = folder.file("audit.log")
    let writer = try AuditTesting.writer(path: path)
    unsafe unlink(path)
    let answers = Answers()
    writer.append(AuditTesting.record(1), answering: answers.add)
    #expect(AuditTesting.eventually { answers.receipts.count == 1 })
    #expect(Self.refusal(path) == Self.held(path))
    writer.shutdown(within: .seconds(5))
  }

  /// The old file has no name, so that there is none to keep: nobody is let in.
  @Test func aFileThatAnotherMadeAnewIsNotWrittenTo() throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log"]) }
    let path = folder.file("audit.log")
    let writer = try AuditTesting.writer(path: path)
    unsafe unlink(path)
    let other = try AuditTesting.writer(path: path)
    let answers = Answers()
    writer.append(AuditTesting.record(1), answering: answers.add)
    #expect(AuditTesting.eventually { answers.count == 1 })
    #expect(answers.refusals == ["cannot write the audit log \(path): another process writes it"])
    other.shutdown(within: .seconds(5))
    #expect(AuditTesting.eventually { writer.isAvailable })
    writer.shutdown(within: .seconds(5))
    let gap = try AuditTesting.records(AuditTesting.bytes(path)).first
    #expect(gap?["event", "action"]?.text == "audit-gap")
    #expect(gap?["countersign", "gap", "lost"]?.integer == 1)
  }
}
