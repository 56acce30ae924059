import AccessPolicy
import AuditLog
import Glibc
import Testing

@testable import ControlPlane

@Suite struct AuditFileTests {
  @Test func recordsAreWrittenInOrderAndAnsweredFor() throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log"]) }
    let path = folder.file("audit.log")
    let writer = try AuditTesting.writer(path: path)
    let answers = Answers()
    for number in 1...500 {
      if number % 5 == 0 {
        writer.append(AuditTesting.record(number), answering: answers.add)
      } else {
        writer.append(AuditTesting.record(number))
      }
    }
    #expect(AuditTesting.eventually { answers.count == 100 })
    // The kernel has what was answered for, before any shutdown.
    let receipts = answers.receipts
    #expect(receipts == (1...100).map { UInt64($0 * 5) })
    #expect(AuditTesting.lines(AuditTesting.bytes(path)).count >= 500)
    writer.shutdown(within: .seconds(5))
    let bytes = AuditTesting.bytes(path)
    let numbers = try AuditTesting.records(bytes).map { $0["countersign", "gateway", "connections"]?.integer }
    #expect(numbers == (1...500).map { $0 })
    let verification = AuditTesting.verify([bytes])
    #expect(verification.finding == nil && verification.records == 500)
    #expect(writer.lostCount == 0 && writer.queuedCount == 0)
  }

  @Test func theFileIsNotForOthers() throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log"]) }
    let old = umask(0)
    defer { umask(old) }
    let writer = try AuditTesting.writer(path: folder.file("audit.log"))
    writer.shutdown(within: .seconds(5))
    var status = stat()
    #expect(unsafe stat(folder.file("audit.log"), &status) == 0)
    #expect(status.st_mode & 0o777 == 0o640)
  }

  @Test func afterShutdownRecordsAreRefused() throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log"]) }
    let writer = try AuditTesting.writer(path: folder.file("audit.log"))
    #expect(writer.isAvailable)
    writer.shutdown(within: .seconds(5))
    let answers = Answers()
    writer.append(AuditTesting.record(1), answering: answers.add)
    #expect(answers.refusals == ["the audit writer is shut down"])
    #expect(!writer.isAvailable && writer.lostCount == 1)
    writer.shutdown(within: .seconds(5))
  }

  @Test func aRestartContinuesTheChain() throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log"]) }
    let path = folder.file("audit.log")
    for run in 0..<3 {
      let writer = try AuditTesting.writer(path: path)
      for number in 1...4 { writer.append(AuditTesting.record(run * 4 + number)) }
      writer.shutdown(within: .seconds(5))
    }
    let verification = AuditTesting.verify([AuditTesting.bytes(path)])
    #expect(verification.finding == nil && verification.records == 12)
    #expect(verification.chainStarts == [1] && verification.position?.sequence == 12)
  }

  /// The last line loses its end, from its last byte to all but its first.
  @Test(arguments: [1, 2, 3, 70, 300]) func aTornLineIsClosedAndTold(_ missing: Int) throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log"]) }
    let path = folder.file("audit.log")
    let first = try AuditTesting.writer(path: path)
    for number in 1...3 { first.append(AuditTesting.record(number)) }
    first.shutdown(within: .seconds(5))
    let size = AuditTesting.bytes(path).count
    #expect(unsafe truncate(path, size - missing) == 0)
    let second = try AuditTesting.writer(path: path)
    second.append(AuditTesting.record(4))
    second.shutdown(within: .seconds(5))
    let bytes = AuditTesting.bytes(path)
    let verification = AuditTesting.verify([bytes])
    // Without its end of line the record is whole; without more it is torn.
    #expect(verification.finding == nil)
    #expect(verification.tornLines == (missing == 1 ? [] : [3]))
    #expect(verification.records == (missing == 1 ? 5 : 4))
    let gap = try JSONParser.parse(AuditTesting.lines(bytes)[3])
    #expect(gap["event", "action"]?.text == "audit-gap")
    #expect(gap["countersign", "gap", "torn_line"]?.flag == true)
  }

  @Test func aPathThatCannotBeOpenedIsAnError() throws {
    let folder = AuditFolder()
    defer { folder.remove([]) }
    #expect {
      try AuditTesting.writer(path: folder.file("no/such/folder")).shutdown(within: .zero)
    } throws: {
      ($0 as? AuditDestinationError)?.message.hasSuffix(
        "open: No such file or directory (ENOENT): "
          + "create the folder; relative paths begin at the folder of the configuration file") == true
    }
  }

  @Test func aFileOfSomethingElseIsNotWrittenTo() throws {
    let folder = AuditFolder()
    defer { folder.remove(["passwd"]) }
    let path = folder.file("passwd")
    let descriptor = try FileCalls.openLog(path)
    _ = FileCalls.write(Array("root:x:0:0:root:/root:/bin/sh\n".utf8)[...], to: descriptor)
    FileCalls.close(descriptor)
    #expect {
      try AuditTesting.writer(path: path).shutdown(within: .zero)
    } throws: {
      ($0 as? AuditDestinationError)?.message
        == "\(path) is no audit log: its lines are no records: move it away or name another file"
    }
    #expect(AuditTesting.bytes(path).count == 30)
  }

  /// As a shell's `>>` does it.
  @Test func standardOutputInAFileIsContinued() throws {
    let folder = AuditFolder()
    defer { folder.remove(["out"]) }
    for number in 1...2 {
      let descriptor = try FileCalls.openLog(folder.file("out"))
      let output = try FileOutput(standard: descriptor)
      FileCalls.close(descriptor)
      let tail = try output.tail(sealedBy: AuditTesting.digest)
      let writer = try AuditTesting.writer(output, tail: tail)
      writer.append(AuditTesting.record(number))
      writer.shutdown(within: .seconds(5))
    }
    let verification = AuditTesting.verify([AuditTesting.bytes(folder.file("out"))])
    #expect(verification.finding == nil && verification.records == 2 && verification.chainStarts == [1])
  }

  @Test func rotationContinuesTheChainInANewFile() throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log", "audit.log.1"]) }
    let path = folder.file("audit.log")
    let writer = try AuditTesting.writer(path: path)
    for number in 1...3 { writer.append(AuditTesting.record(number)) }
    #expect(AuditTesting.eventually { writer.queuedCount == 0 })
    #expect(unsafe rename(path, folder.file("audit.log.1")) == 0)
    writer.append(AuditTesting.record(4))
    writer.reopen()
    for number in 5...7 { writer.append(AuditTesting.record(number)) }
    writer.shutdown(within: .seconds(5))
    let old = AuditTesting.bytes(folder.file("audit.log.1"))
    let new = AuditTesting.bytes(path)
    #expect(AuditTesting.lines(old).count == 4 && AuditTesting.lines(new).count == 3)
    let verification = AuditTesting.verify([old, new])
    #expect(verification.finding == nil && verification.records == 7 && verification.chainStarts == [1])
    #expect(writer.reopenProblem == nil)
  }

  @Test func aReopenThatFailsKeepsTheOldFile() throws {
    let folder = AuditFolder()
    let sub = folder.file("sub")
    #expect(unsafe mkdir(sub, 0o700) == 0)
    let path = sub + "/audit.log"
    let moved = folder.file("audit.log")
    let writer = try AuditTesting.writer(path: path)
    writer.append(AuditTesting.record(1))
    #expect(AuditTesting.eventually { writer.queuedCount == 0 })
    #expect(unsafe rename(path, moved) == 0)
    #expect(unsafe rmdir(sub) == 0)
    writer.reopen()
    #expect(AuditTesting.eventually { writer.reopenProblem != nil })
    writer.append(AuditTesting.record(2))
    writer.shutdown(within: .seconds(5))
    #expect(AuditTesting.verify([AuditTesting.bytes(moved)]).records == 2)
    #expect(writer.lostCount == 0)
    folder.remove(["audit.log"])
  }

  @Test func aFullDeviceRefusesAndRecoversWithAGap() throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log", "real.log"]) }
    let path = folder.file("audit.log")
    #expect(unsafe symlink("/dev/full", path) == 0)
    let writer = try AuditTesting.writer(path: path)
    let answers = Answers()
    writer.append(AuditTesting.record(1), answering: answers.add)
    writer.append(AuditTesting.record(2))
    #expect(AuditTesting.eventually { answers.count == 1 && !writer.isAvailable && writer.queuedCount == 0 })
    #expect(
      answers.refusals == ["cannot write the audit log \(path): write: No space left on device (ENOSPC)"])
    writer.append(AuditTesting.record(3), answering: answers.add)
    #expect(answers.count == 2 && answers.receipts.isEmpty)
    unsafe unlink(path)
    #expect(unsafe symlink(folder.file("real.log"), path) == 0)
    writer.reopen()
    #expect(AuditTesting.eventually { writer.isAvailable })
    writer.append(AuditTesting.record(4), answering: answers.add)
    writer.shutdown(within: .seconds(5))
    #expect(answers.receipts == [2])
    let bytes = AuditTesting.bytes(folder.file("real.log"))
    let records = try AuditTesting.records(bytes)
    #expect(records.count == 2)
    #expect(records.first?["event", "action"]?.text == "audit-gap")
    #expect(records.first?["countersign", "gap", "lost"]?.integer == 3)
    #expect(records.first?["error", "code"]?.text == "ENOSPC")
    #expect(AuditTesting.verify([bytes]).finding == nil)
    #expect(writer.lostCount == 3)
  }
}
