import AuditLog
import Glibc
import TLSEngine
import Testing

@testable import ControlPlane

/// A chain with a key: it goes on with that key alone.
@Suite struct AuditKeyTests {
  static func digest(_ key: String) -> Digest {
    { SHA256.authenticate($0, key: Array(key.utf8)) }
  }

  private static let plain: Digest = { SHA256.hash($0) }

  private static func write(_ path: String, _ digest: @escaping Digest, _ numbers: ClosedRange<Int>) throws {
    let writer = try AuditTesting.writer(path: path, integrity: digest)
    for number in numbers { writer.append(AuditTesting.record(number)) }
    writer.shutdown(within: .seconds(5))
  }

  private static func verify(_ path: String, _ digest: @escaping Digest) -> ChainVerification {
    var verification = ChainVerification(digest: digest)
    for line in AuditTesting.lines(AuditTesting.bytes(path)) { verification.feed(line) }
    verification.finish(torn: false)
    return verification
  }

  @Test func onlyItsKeyVerifiesAChain() throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log"]) }
    let path = folder.file("audit.log")
    try Self.write(path, Self.digest("one"), 1...3)
    try Self.write(path, Self.digest("one"), 4...6)
    let verification = Self.verify(path, Self.digest("one"))
    #expect(verification.finding == nil && verification.records == 6)
    for digest in [Self.digest("two"), Self.plain] {
      #expect(Self.verify(path, digest).finding?.problem == .changed)
      #expect(Self.verify(path, digest).finding?.line == 1)
    }
  }

  @Test(arguments: ["another key", "no key", "a changed line"])
  func aChainThatAnotherSealedIsNotContinued(_ what: String) throws {
    let folder = AuditFolder()
    defer { folder.remove(["audit.log"]) }
    let path = folder.file("audit.log")
    try Self.write(path, Self.digest("one"), 1...3)
    let digest =
      switch what {
      case "another key": Self.digest("two")
      case "no key": Self.plain
      default: Self.digest("one")
      }
    if what == "a changed line" {
      let descriptor = unsafe open(path, O_WRONLY)
      let size = AuditTesting.bytes(path).count
      #expect(unsafe pwrite(descriptor, "0", 1, size - 500) == 1)
      close(descriptor)
    }
    let before = AuditTesting.bytes(path)
    let error = #expect(throws: AuditDestinationError.self) { try Self.write(path, digest, 4...4) }
    #expect(
      error?.message == "the last record of \(path) was changed, or another audit.key has sealed it: "
        + "move the file away, so that a new chain begins")
    #expect(AuditTesting.bytes(path) == before)
  }
}
