import AuditLog
import Glibc
import Testing

@testable import ControlPlane

/// A chain that begins in the middle of a file, or ends there, would never verify.
@Suite struct AuditSealTests {
  private static func write(_ path: String, _ numbers: ClosedRange<Int>, sealed: Bool) throws {
    let writer = try AuditTesting.writer(path: path, integrity: sealed ? AuditTesting.digest : nil)
    for number in numbers { writer.append(AuditTesting.record(number)) }
    writer.shutdown(within: .seconds(5))
  }

  private static func replace(_ path: String, with bytes: [UInt8]) throws {
    unsafe unlink(path)
    let descriptor = try FileCalls.openLog(path)
    defer { FileCalls.close(descriptor) }
    guard case .written(bytes.count) = FileCalls.write(bytes[...], to: descriptor) else {
      Issue.record("a short write")
      return
    }
  }

  @Test(arguments: ["integrity: false", "CRLF"])
  func anUnsealedLogIsNotContinuedByAChain(_ how: String) throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log"]) }
    let path = folder.file("audit.log")
    try Self.write(path, 1...3, sealed: how == "CRLF")
    if how == "CRLF" {
      let lines = AuditTesting.lines(AuditTesting.bytes(path))
      try Self.replace(path, with: lines.flatMap { $0 + Array("\r\n".utf8) })
    }
    let before = AuditTesting.bytes(path)
    let error = #expect(throws: AuditDestinationError.self) { try Self.write(path, 4...4, sealed: true) }
    #expect(
      error?.message == "the last record of \(path) is not sealed: was it written with integrity: false? "
        + "move it away or name another file")
    #expect(AuditTesting.bytes(path) == before)
  }

  @Test func aTornLineBehindAnUnsealedRecordHidesNothing() throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log"]) }
    let path = folder.file("audit.log")
    try Self.write(path, 1...2, sealed: false)
    #expect(unsafe truncate(path, AuditTesting.bytes(path).count - 20) == 0)
    #expect(throws: AuditDestinationError.self) { try Self.write(path, 3...3, sealed: true) }
  }

  @Test func aSealedLogIsNotContinuedWithoutItsChain() throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log"]) }
    let path = folder.file("audit.log")
    try Self.write(path, 1...3, sealed: true)
    let error = #expect(throws: AuditDestinationError.self) { try Self.write(path, 4...4, sealed: false) }
    #expect(
      error?.message == "the last record of \(path) is sealed, and integrity: false ends its chain: "
        + "move it away or name another file")
    #expect(AuditTesting.verify([AuditTesting.bytes(path)]).finding == nil)
  }

  @Test func aLogWithoutAChainGoesOnWithoutOne() throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log"]) }
    let path = folder.file("audit.log")
    try Self.write(path, 1...3, sealed: false)
    try Self.write(path, 4...4, sealed: false)
    let numbers = try AuditTesting.records(AuditTesting.bytes(path)).map { $0["event", "sequence"]?.integer }
    #expect(numbers == [1, 2, 3, 4])
  }
}
