import AccessPolicy
import AuditLog
import EventLoop
import GatewayConfiguration
import Glibc
import Synchronization
import Testing

@testable import ControlPlane

/// What the tests of the audit writer share.
enum AuditTesting {
  /// Not a cryptographic hash: 32 bytes that depend on every byte and its place.
  static let digest: Digest = { bytes in
    var state: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return (0..<4).flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: (state &* (UInt64(word) * 2 + 1)) >> (UInt64($0) * 8)) }
    }
  }

  static let encoder = RecordEncoder(observer: Observer(hostname: "gate-1", version: "0.1.0"), digest: digest)

  static func record(_ number: Int, padding: Int = 0) -> EncodedRecord {
    let event = AuditEvent.gatewayStopping(
      .init(cause: "test " + String(repeating: "x", count: padding), connections: number))
    return encoder.encode(event, id: UInt128(number), at: Timestamp(seconds: 1_790_000_000))
  }

  static func writer(
    _ output: sending any AuditOutput, capacity: AuditWriter.Capacity = .init(), tail: ChainTail? = nil,
    _ configuration: Audit = Audit(), say: @escaping @Sendable (String) -> Void = { _ in }
  ) throws -> AuditWriter {
    try AuditWriter(
      output: output, tail: tail, configuration, encoder: encoder, integrity: digest, capacity: capacity,
      say: say, now: { Timestamp(nanoseconds: wallClockNanoseconds()) })
  }

  static func writer(
    path: String, durability: Audit.Durability = .written,
    whenUnavailable: Audit.WhenUnavailable = .refuse, integrity: Digest? = digest
  ) throws -> AuditWriter {
    try AuditWriter(
      Audit(destination: .file(path), durability: durability, whenUnavailable: whenUnavailable),
      encoder: encoder, integrity: integrity)
  }

  /// Looks again and again until a state holds or ten seconds are over.
  static func eventually(_ holds: () -> Bool) -> Bool {
    let deadline = MonotonicTime.now() + .seconds(10)
    while !holds() {
      if MonotonicTime.now() > deadline { return false }
      sched_yield()
    }
    return true
  }

  static func bytes(_ path: String) -> [UInt8] { (try? FileCalls.readEnd(path, from: 0)) ?? [] }

  static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }

  static func verify(_ files: [[UInt8]]) -> ChainVerification {
    var verification = ChainVerification(digest: digest)
    for file in files {
      for line in lines(file) { verification.feed(line) }
      verification.finish(torn: file.last.map { $0 != UInt8(ascii: "\n") } ?? false)
    }
    return verification
  }

  static func records(_ bytes: [UInt8]) throws -> [JSONValue] {
    try lines(bytes).map { try JSONParser.parse($0) }
  }
}

/// A folder that is gone when the test is over.
final class AuditFolder {
  let path: String

  init() {
    let random = UInt64.random(in: .min ... .max)
    path = "/tmp/countersign-audit-\(random)"
    unsafe mkdir(path, 0o700)
  }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  func remove(_ names: [String]) {
    for name in names { unsafe unlink(file(name)) }
    unsafe rmdir(path)
  }
}

/// Answers as they come.
final class Answers: Sendable {
  private let answers = Mutex<[Result<AuditClearance, AuditUnavailable>]>([])

  var all: [Result<AuditClearance, AuditUnavailable>] { answers.withLock { $0 } }
  var count: Int { answers.withLock { $0.count } }
  var receipts: [UInt64] {
    all.compactMap { if case .success(.recorded(let receipt)) = $0 { receipt.sequence } else { nil } }
  }
  var waivers: [String] {
    all.compactMap { if case .success(.waived(let waiver)) = $0 { waiver.problem.message } else { nil } }
  }
  var refusals: [String] {
    all.compactMap { if case .failure(let refusal) = $0 { refusal.message } else { nil } }
  }

  var add: AuditAnswer {
    { answer in self.answers.withLock { $0.append(answer) } }
  }
}

/// A kernel that does what the test says.
final class ScriptedOutput: AuditOutput {
  enum Step: Sendable {
    /// Takes up to so many bytes.
    case take(Int)
    case fail(Int32)
  }

  final class Script: Sendable {
    struct State: Sendable {
      var steps: [Step] = []
      /// What the next syncs come to; nil is success, as is every later one.
      var syncs: [Int32?] = []
      /// How many bytes stood there at each sync.
      var synced: [Int] = []
      /// A sync waits until the test lets it go on.
      var holdsSync = false
      var bytes: [UInt8] = []
      var calls = 0
      var forgets = true
    }

    let state: Mutex<State>

    init(_ steps: [Step], forgets: Bool = true, syncs: [Int32?] = [], holdsSync: Bool = false) {
      state = Mutex(State(steps: steps, syncs: syncs, holdsSync: holdsSync, forgets: forgets))
    }

    func releaseSync() { state.withLock { $0.holdsSync = false } }

    var bytes: [UInt8] { state.withLock { $0.bytes } }
  }

  let name = "script"
  let descriptor: Int32 = -1
  private let script: Script

  init(_ script: Script) { self.script = script }

  func write(_ bytes: ArraySlice<UInt8>) -> OutputStep {
    script.state.withLock {
      $0.calls += 1
      switch $0.steps.isEmpty ? .take(.max) : $0.steps.removeFirst() {
      case .take(let count):
        let taken = bytes.prefix(count)
        $0.bytes += taken
        return .written(taken.count)
      case .fail(let code): return .failed(SystemError(call: "write", code: code))
      }
    }
  }

  func takeBack(_ count: Int) -> Bool {
    script.state.withLock {
      guard $0.forgets else { return false }
      $0.bytes.removeLast(count)
      return true
    }
  }

  func sync() -> SystemError? {
    script.state.withLock { $0.synced.append($0.bytes.count) }
    while script.state.withLock({ $0.holdsSync }) { sched_yield() }
    return script.state.withLock {
      let code = $0.syncs.isEmpty ? nil : $0.syncs.removeFirst()
      return code.map { SystemError(call: "fdatasync", code: $0) }
    }
  }

  func reopen() throws(AuditDestinationError) -> Bool? { nil }
  func restore() throws(SystemError) -> Bool { false }
  func close() {}
}
