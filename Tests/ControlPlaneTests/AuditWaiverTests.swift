import AuditLog
import EventLoop
import GatewayConfiguration
import Glibc
import Synchronization
import Testing

@testable import ControlPlane

/// `when_unavailable: allow_unlogged`: who is let in without a record, and how that is told.
@Suite struct AuditWaiverTests {
  private static let unlogged = Audit(whenUnavailable: .allowUnlogged)

  /// What was said to people.
  final class Said: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    var add: @Sendable (String) -> Void { { line in self.lines.withLock { $0.append(line) } } }
  }

  @Test func aFullDiskLetsInAndCounts() throws {
    let script = ScriptedOutput.Script([.fail(ENOSPC), .fail(ENOSPC)])
    let said = Said()
    let writer = try AuditTesting.writer(ScriptedOutput(script), Self.unlogged, say: said.add)
    let answers = Answers()
    writer.append(AuditTesting.record(1), answering: answers.add)
    #expect(AuditTesting.eventually { answers.count == 1 })
    let problem = "cannot write the audit log script: write: No space left on device (ENOSPC)"
    #expect(answers.waivers == [problem] && !writer.isAvailable)
    // At once, and a record that nobody waits for lets nobody in.
    writer.append(AuditTesting.record(2), answering: answers.add)
    writer.append(AuditTesting.record(3))
    #expect(answers.waivers == [problem, problem] && answers.refusals == [])
    #expect(writer.lostCount == 3 && writer.unloggedCount == 2)
    #expect(AuditTesting.eventually { writer.isAvailable })
    writer.append(AuditTesting.record(4), answering: answers.add)
    writer.shutdown(within: .seconds(5))
    #expect(answers.receipts == [2])
    let gap = try AuditTesting.records(script.bytes).first
    #expect(gap?["countersign", "gap", "lost"]?.integer == 3)
    #expect(gap?["countersign", "gap", "unlogged"]?.integer == 2)
    #expect(
      said.all == [
        "countersign: alarm: \(problem); new connections are let in WITHOUT A RECORD "
          + "(audit.when_unavailable: allow_unlogged)",
        "countersign: the audit log script is written again: 3 records were lost, 2 connections were let in "
          + "without a record",
      ])
  }

  @Test func withoutTheSettingNobodyIsLetIn() throws {
    let script = ScriptedOutput.Script([.fail(ENOSPC)])
    let said = Said()
    let writer = try AuditTesting.writer(ScriptedOutput(script), say: said.add)
    let answers = Answers()
    writer.append(AuditTesting.record(1), answering: answers.add)
    #expect(AuditTesting.eventually { answers.count == 1 })
    writer.append(AuditTesting.record(2), answering: answers.add)
    #expect(AuditTesting.eventually { writer.isAvailable })
    writer.shutdown(within: .seconds(5))
    #expect(answers.refusals.count == 2 && answers.waivers == [] && writer.unloggedCount == 0)
    #expect(said.all.count == 2 && said.all[0].contains("new connections are refused"))
  }

  @Test func afterShutdownNobodyIsLetIn() throws {
    let writer = try AuditTesting.writer(ScriptedOutput(.init([])), Self.unlogged)
    writer.shutdown(within: .seconds(5))
    let answers = Answers()
    writer.append(AuditTesting.record(1), answering: answers.add)
    #expect(answers.refusals == ["the audit writer is shut down"])
  }

  /// Nobody reads the pipe: whoever waits is let in after a second, whoever comes later at once, and when
  /// somebody reads again no record is missing.
  @Test func aStalledReaderLetsInAndLosesNothing() throws {
    var ends: [Int32] = [0, 0]
    #expect(unsafe pipe(&ends) == 0)
    let said = Said()
    let writer = try AuditTesting.writer(
      FileOutput(standard: ends[1]), Self.unlogged, say: said.add)
    close(ends[1])
    let answers = Answers()
    let start = MonotonicTime.now()
    for number in 1...200 {
      writer.append(AuditTesting.record(number, padding: 1000), answering: answers.add)
    }
    #expect(AuditTesting.eventually { answers.count == 200 })
    #expect(MonotonicTime.now() - start >= .seconds(1))
    let late = Answers()
    writer.append(AuditTesting.record(201), answering: late.add)
    #expect(late.waivers.count == 1 && !writer.isAvailable)
    let waived = UInt64(answers.waivers.count + 1)
    #expect(writer.unloggedCount == waived && writer.lostCount == 0)
    let reader = try PipeReader(ends[0])
    #expect(AuditTesting.eventually { writer.isAvailable && writer.queuedCount == 0 })
    writer.shutdown(within: .seconds(5))
    let bytes = reader.all()
    let verification = AuditTesting.verify([bytes])
    #expect(verification.finding == nil && verification.lost == 0)
    let gaps = try AuditTesting.records(bytes).filter { $0["event", "action"]?.text == "audit-gap" }
    #expect(gaps.compactMap { $0["countersign", "gap", "unlogged"]?.integer }.reduce(0, +) == Int64(waived))
    #expect(verification.records == 201 + UInt64(gaps.count))
    #expect(said.all.first?.contains("too slow") == true && said.all.last?.contains("written again") == true)
  }

  /// The thread is stuck in the disk and can answer nobody; who comes a second later need not wait for it.
  @Test func aDiskThatHangsDoesNotHoldThoseThatCome() throws {
    let script = ScriptedOutput.Script([], holdsSync: true)
    let writer = try AuditTesting.writer(
      ScriptedOutput(script),
      Audit(destination: .file("script"), durability: .synced, whenUnavailable: .allowUnlogged))
    let first = Answers()
    writer.append(AuditTesting.record(1), answering: first.add)
    #expect(AuditTesting.eventually { !writer.isAvailable })
    let late = Answers()
    writer.append(AuditTesting.record(2), answering: late.add)
    #expect(late.waivers.count == 1 && first.count == 0)
    script.releaseSync()
    #expect(AuditTesting.eventually { first.receipts == [1] && writer.queuedCount == 0 })
    writer.shutdown(within: .seconds(5))
    #expect(writer.lostCount == 0 && AuditTesting.verify([script.bytes]).finding == nil)
  }

  @Test func aFullQueueLetsInAndCounts() throws {
    var ends: [Int32] = [0, 0]
    #expect(unsafe pipe(&ends) == 0)
    let writer = try AuditTesting.writer(
      FileOutput(standard: ends[1]), capacity: .init(records: 100), Self.unlogged)
    close(ends[1])
    let answers = Answers()
    for number in 1...1000 {
      writer.append(AuditTesting.record(number, padding: 1000), answering: answers.add)
    }
    #expect(answers.refusals == [] && writer.lostCount > 0)
    let reader = try PipeReader(ends[0])
    #expect(AuditTesting.eventually { writer.queuedCount == 0 && answers.count == 1000 })
    writer.shutdown(within: .seconds(5))
    let verification = AuditTesting.verify([reader.all()])
    #expect(verification.finding == nil && verification.lost == writer.lostCount)
    #expect(writer.unloggedCount == UInt64(answers.waivers.count))
  }
}
