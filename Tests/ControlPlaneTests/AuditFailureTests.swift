import AccessPolicy
import AuditLog
import EventLoop
import Glibc
import Synchronization
import Testing

@testable import ControlPlane

@Suite struct AuditFailureTests {
  /// Writes three records as one batch: the writer's thread is held by the first write until all wait.
  static func run(_ steps: [ScriptedOutput.Step], forgets: Bool) throws -> (Answers, AuditWriter, [UInt8]) {
    let script = ScriptedOutput.Script(steps, forgets: forgets)
    let writer = try AuditTesting.writer(ScriptedOutput(script))
    let answers = Answers()
    writer.append(AuditTesting.record(1), answering: answers.add)
    #expect(AuditTesting.eventually { answers.count == 1 })
    // The probe comes by itself within a second or so.
    #expect(AuditTesting.eventually { writer.isAvailable })
    writer.append(AuditTesting.record(2), answering: answers.add)
    writer.shutdown(within: .seconds(5))
    return (answers, writer, script.bytes)
  }

  @Test func aHalfWrittenLineIsTakenBack() throws {
    let (answers, writer, bytes) = try Self.run([.take(100), .fail(ENOSPC)], forgets: true)
    #expect(answers.refusals.count == 1 && answers.receipts == [2])
    #expect(writer.lostCount == 1)
    let verification = AuditTesting.verify([bytes])
    #expect(verification.finding == nil && verification.tornLines.isEmpty && verification.lost == 1)
    #expect(try AuditTesting.records(bytes).first?["countersign", "gap", "torn_line"]?.flag == false)
  }

  @Test func aHalfWrittenLineThatStaysIsClosed() throws {
    let (answers, _, bytes) = try Self.run([.take(100), .fail(ENOSPC)], forgets: false)
    #expect(answers.refusals.count == 1 && answers.receipts == [2])
    let verification = AuditTesting.verify([bytes])
    #expect(verification.finding == nil && verification.tornLines == [1] && verification.records == 2)
  }

  /// The next start would read such a line as a whole record, so the chain must go on from it.
  @Test func aLineThatLacksOnlyItsEndIsInTheChain() throws {
    var chain = RecordChain(at: .genesis(uid: 1), digest: AuditTesting.digest)
    let length = chain.seal(AuditTesting.record(1)).count
    let (answers, _, bytes) = try Self.run([.take(length), .fail(ENOSPC)], forgets: false)
    #expect(answers.refusals.count == 1 && answers.receipts == [3])
    let verification = AuditTesting.verify([bytes])
    #expect(verification.finding == nil && verification.tornLines.isEmpty && verification.records == 3)
  }

  /// The first probe leaves half a line too.
  @Test func probesThatFailHalfwayLeaveOnlyTornLines() throws {
    let (_, writer, bytes) = try Self.run(
      [.take(100), .fail(ENOSPC), .take(50), .fail(ENOSPC)], forgets: false)
    let verification = AuditTesting.verify([bytes])
    #expect(verification.finding == nil && verification.tornLines == [1, 2] && verification.records == 2)
    #expect(writer.lostCount == 1)
  }

  @Test func aWriteThatStopsIsContinued() throws {
    let (answers, writer, bytes) = try Self.run([.take(1), .take(2), .take(300)], forgets: false)
    #expect(answers.receipts == [1, 2] && writer.lostCount == 0)
    #expect(AuditTesting.verify([bytes]).records == 2)
  }

  @Test(arguments: [EIO, EPIPE, EFBIG, EDQUOT]) func everyErrorRefuses(_ code: Int32) throws {
    let (answers, _, bytes) = try Self.run([.fail(code)], forgets: false)
    #expect(answers.refusals.count == 1 && answers.receipts == [2])
    let gap = try AuditTesting.records(bytes).first
    #expect(gap?["error", "code"]?.text == SystemError(call: "write", code: code).name)
  }

  @Test func aWriteOfNothingIsAnErrorAndNoLoop() throws {
    let (answers, _, _) = try Self.run([.take(0)], forgets: false)
    #expect(answers.refusals.count == 1 && answers.receipts == [2])
  }

  @Test func aPipeWithoutAReaderRefuses() throws {
    var ends: [Int32] = [0, 0]
    #expect(unsafe pipe(&ends) == 0)
    close(ends[0])
    let writer = try AuditTesting.writer(FileOutput(standard: ends[1]))
    close(ends[1])
    let answers = Answers()
    writer.append(AuditTesting.record(1), answering: answers.add)
    #expect(AuditTesting.eventually { answers.count == 1 })
    #expect(answers.refusals.first?.hasSuffix("write: Broken pipe (EPIPE)") == true)
    #expect(!writer.isAvailable)
    writer.shutdown(within: .seconds(5))
  }

  /// Nobody reads: the queue fills to its bound, more is refused at once, and shutdown does not wait for ever.
  @Test(arguments: [false, true]) func aSlowReaderFillsTheQueue(_ nonBlocking: Bool) throws {
    var ends: [Int32] = [0, 0]
    #expect(unsafe pipe(&ends) == 0)
    if nonBlocking { #expect(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0) }
    defer { close(ends[0]) }
    let writer = try AuditTesting.writer(FileOutput(standard: ends[1]), capacity: .init(records: 100))
    close(ends[1])
    let answers = Answers()
    // More than the pipe and the queue hold together; the thread is stuck in the pipe by then.
    for number in 1...1000 {
      writer.append(AuditTesting.record(number, padding: 1000), answering: answers.add)
    }
    #expect(
      answers.refusals.first == "the audit log's reader is too slow: 100 records wait"
        && writer.lostCount == UInt64(answers.refusals.count))
    #expect(writer.queuedCount <= 100)
    let receipts = answers.receipts.count
    let start = MonotonicTime.now()
    writer.shutdown(within: .milliseconds(100))
    #expect(MonotonicTime.now() - start < .seconds(5))
    #expect(answers.refusals.last?.hasSuffix("write: Connection timed out (ETIMEDOUT)") == true)
    #expect(answers.count == 1000 && answers.receipts.count >= receipts && writer.queuedCount == 0)
  }

  @Test func aReaderThatComesBackSeesTheGap() throws {
    var ends: [Int32] = [0, 0]
    #expect(unsafe pipe(&ends) == 0)
    let writer = try AuditTesting.writer(FileOutput(standard: ends[1]), capacity: .init(records: 100))
    close(ends[1])
    for number in 1...1000 { writer.append(AuditTesting.record(number, padding: 1000)) }
    let lost = writer.lostCount
    #expect(lost > 0)
    let reader = try PipeReader(ends[0])
    #expect(AuditTesting.eventually { writer.queuedCount == 0 && writer.isAvailable })
    writer.append(AuditTesting.record(1001))
    writer.shutdown(within: .seconds(5))
    let bytes = reader.all()
    let verification = AuditTesting.verify([bytes])
    #expect(verification.finding == nil)
    #expect(verification.lost == lost)
    let gaps = try AuditTesting.records(bytes).filter { $0["event", "action"]?.text == "audit-gap" }
    #expect(gaps.count >= 1 && verification.records == 1001 - lost + UInt64(gaps.count))
    #expect(gaps.first?["error", "message"]?.text == "the log's reader was too slow")
  }
}

/// Reads a pipe to its end on a thread of its own.
final class PipeReader {
  private let box: Box
  private let thread: WorkerThread

  private final class Box: Sendable {
    let bytes = Synchronization.Mutex<[UInt8]>([])
  }

  init(_ descriptor: Int32) throws {
    let box = Box()
    self.box = box
    thread = try WorkerThread(name: "reader") {
      var chunk = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        if count <= 0 { break }
        box.bytes.withLock { $0 += chunk.prefix(count) }
      }
      close(descriptor)
    }
  }

  /// - Returns: all bytes, once the writing end is closed.
  func all() -> [UInt8] {
    thread.join()
    return box.bytes.withLock { $0 }
  }
}
