import AuditLog
import EventLoop
import GatewayConfiguration
import Glibc
import Synchronization
import Testing

@testable import ControlPlane

/// `durability: synced`: who is answered before the disk has the record.
@Suite struct AuditSyncTests {
  private static let synced = Audit(destination: .file("script"), durability: .synced)

  /// The disk takes its time: nobody is answered, and whoever comes meanwhile shares the next sync.
  @Test func nobodyIsAnsweredBeforeTheSyncIsOver() throws {
    let script = ScriptedOutput.Script([], holdsSync: true)
    let writer = try AuditTesting.writer(ScriptedOutput(script), Self.synced)
    let answers = Answers()
    writer.append(AuditTesting.record(1), answering: answers.add)
    #expect(AuditTesting.eventually { script.state.withLock { $0.synced.count } == 1 })
    // The kernel has the record by then, all of it, and still there is no answer.
    #expect(AuditTesting.lines(script.bytes).count == 1)
    for number in 2...200 { writer.append(AuditTesting.record(number), answering: answers.add) }
    #expect(answers.count == 0)
    script.releaseSync()
    #expect(AuditTesting.eventually { answers.count == 200 })
    #expect(answers.receipts == (1...200).map { $0 })
    writer.shutdown(within: .seconds(5))
    let synced = script.state.withLock { $0.synced }
    // 199 records waited; one sync for them all.
    #expect(synced.count == 2 && synced.last == script.bytes.count)
  }

  @Test func withoutItNothingIsSynced() throws {
    let script = ScriptedOutput.Script([], holdsSync: true)
    let writer = try AuditTesting.writer(ScriptedOutput(script))
    let answers = Answers()
    writer.append(AuditTesting.record(1), answering: answers.add)
    #expect(AuditTesting.eventually { answers.receipts == [1] })
    writer.shutdown(within: .seconds(5))
    #expect(script.state.withLock { $0.synced } == [])
  }

  /// What a failed sync was for is taken back: no later sync says anything of it.
  @Test(arguments: [EIO, ENOSPC, EDQUOT]) func aFailedSyncRefusesAndTakesBack(_ code: Int32) throws {
    let script = ScriptedOutput.Script([], syncs: [code, code])
    let writer = try AuditTesting.writer(ScriptedOutput(script), Self.synced)
    let answers = Answers()
    writer.append(AuditTesting.record(1), answering: answers.add)
    #expect(AuditTesting.eventually { answers.count == 1 })
    #expect(answers.refusals.count == 1 && !writer.isAvailable)
    #expect(AuditTesting.eventually { writer.isAvailable })
    writer.append(AuditTesting.record(2), answering: answers.add)
    writer.shutdown(within: .seconds(5))
    #expect(answers.receipts == [2])
    let verification = AuditTesting.verify([script.bytes])
    #expect(verification.finding == nil && verification.records == 2 && verification.lost == 1)
    let gap = try AuditTesting.records(script.bytes).first
    #expect(gap?["error", "code"]?.text == SystemError(call: "fdatasync", code: code).name)
  }

  /// A destination that cannot forget keeps the lines, and the chain goes on behind them.
  @Test func aFailedSyncThatCannotBeTakenBackStaysInTheChain() throws {
    let script = ScriptedOutput.Script([], forgets: false, syncs: [EIO])
    let writer = try AuditTesting.writer(ScriptedOutput(script), Self.synced)
    let answers = Answers()
    writer.append(AuditTesting.record(1), answering: answers.add)
    #expect(AuditTesting.eventually { answers.count == 1 && writer.isAvailable })
    writer.append(AuditTesting.record(2), answering: answers.add)
    writer.shutdown(within: .seconds(5))
    #expect(answers.refusals.count == 1 && answers.receipts == [3])
    let verification = AuditTesting.verify([script.bytes])
    #expect(verification.finding == nil && verification.records == 3)
  }

  /// The disk fills in the midst of a batch: the records before are synced and answered for.
  @Test func theWholeLinesBeforeATornOneAreSynced() throws {
    var chain = RecordChain(at: .genesis(uid: 1), digest: AuditTesting.digest)
    let length = chain.seal(AuditTesting.record(1)).count + 1
    let script = ScriptedOutput.Script([.take(.max), .take(length + 10), .fail(ENOSPC)], holdsSync: true)
    let writer = try AuditTesting.writer(ScriptedOutput(script), Self.synced)
    let answers = Answers()
    writer.append(AuditTesting.record(1))
    #expect(AuditTesting.eventually { script.state.withLock { $0.synced.count } == 1 })
    // Both are one batch, since the thread is held.
    for number in 2...3 { writer.append(AuditTesting.record(number), answering: answers.add) }
    script.releaseSync()
    #expect(AuditTesting.eventually { answers.count == 2 })
    #expect(answers.receipts == [2] && answers.refusals.count == 1)
    #expect(script.state.withLock { $0.synced }.last == 2 * length + 10)
    #expect(AuditTesting.eventually { writer.isAvailable })
    writer.shutdown(within: .seconds(5))
    let verification = AuditTesting.verify([script.bytes])
    #expect(verification.finding == nil && verification.tornLines == [] && verification.lost == 1)
  }

  @Test func aRegularFileIsSynced() throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log"]) }
    let path = folder.file("audit.log")
    let writer = try AuditTesting.writer(path: path, durability: .synced)
    let answers = Answers()
    for number in 1...50 { writer.append(AuditTesting.record(number), answering: answers.add) }
    #expect(AuditTesting.eventually { answers.receipts.count == 50 })
    writer.shutdown(within: .seconds(5))
    #expect(AuditTesting.verify([AuditTesting.bytes(path)]).records == 50)
  }

  @Test(arguments: ["a pipe", "a device"]) func nothingElseCanBe(_ kind: String) throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log"]) }
    let path = folder.file("audit.log")
    if kind == "a pipe" {
      #expect(unsafe mkfifo(path, 0o600) == 0)
    } else {
      #expect(unsafe symlink("/dev/null", path) == 0)
    }
    let reader = unsafe open(path, O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    #expect {
      try AuditTesting.writer(path: path, durability: .synced).shutdown(within: .zero)
    } throws: {
      ($0 as? AuditDestinationError)?.message
        == "cannot open the audit log \(path): it is no regular file, and nothing else can be synced: "
        + "name a file, or write durability: written"
    }
  }

  /// Nor after a rotation: the file that was rotated away stays in use.
  @Test func aReopenThatFindsAPipeKeepsTheFile() throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log", "audit.log.1"]) }
    let path = folder.file("audit.log")
    let writer = try AuditTesting.writer(path: path, durability: .synced)
    writer.append(AuditTesting.record(1))
    #expect(AuditTesting.eventually { writer.queuedCount == 0 })
    #expect(unsafe rename(path, folder.file("audit.log.1")) == 0)
    #expect(unsafe mkfifo(path, 0o600) == 0)
    let reader = unsafe open(path, O_RDONLY | O_NONBLOCK)
    defer { close(reader) }
    writer.reopen()
    #expect(AuditTesting.eventually { writer.reopenProblem?.contains("no regular file") == true })
    writer.append(AuditTesting.record(2))
    writer.shutdown(within: .seconds(5))
    #expect(AuditTesting.verify([AuditTesting.bytes(folder.file("audit.log.1"))]).records == 2)
  }
}
