import AccessPolicy
import AuditLog
import GatewayConfiguration
import TLSEngine

/// The key of the audit log's HMAC chain.
package struct AuditKey: Sendable {
  package var bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// What seals the records: with a key, who has it alone can.
  static func digest(_ key: AuditKey?) -> Digest {
    guard let key else { return { SHA256.hash($0) } }
    return { SHA256.authenticate($0, key: key.bytes) }
  }
}

extension FileReading {
  /// RFC 2104 §3: a key that is shorter than the digest weakens the code.
  private static let shortestAuditKey = 32
  private static let longestAuditKey = 4096
  /// Random bytes have that many different ones, digits too; a file of zeros, or of one word, has not.
  private static let fewestValues = 8

  /// Reads the audit key, which is never among ``files``: HMAC takes a key that is longer than its block of 64
  /// bytes by its SHA-256 (RFC 2104 §2), so the hash that the log tells of every other file would be the key.
  mutating func auditKey(_ path: Located<String>) -> AuditKey? {
    guard let contents = secret(path, limit: Self.longestAuditKey) else { return nil }
    checkPermissions(of: path, "audit key", contents.mode)
    guard contents.bytes.count >= Self.shortestAuditKey, Set(contents.bytes).count >= Self.fewestValues else {
      report(
        FileProblem(
          code: "weak-key",
          message: contents.bytes.count < Self.shortestAuditKey
            ? "the audit key \(path.value) has \(contents.bytes.count) bytes, expected at least "
              + "\(Self.shortestAuditKey)" : "the audit key \(path.value) is not random",
          hint: "(umask 077; openssl rand -out \(path.value) \(Self.shortestAuditKey))"),
        at: path.location)
      return nil
    }
    if let other = files.first(where: { $0.bytes == contents.bytes }) {
      report(
        FileProblem(
          code: "shared-key",
          message: "the audit key \(path.value) holds the same as \(other.path), whose hash is in the log",
          hint: "give the log a key of its own: (umask 077; openssl rand -out FILE \(Self.shortestAuditKey))"),
        at: path.location)
      return nil
    }
    return AuditKey(contents.bytes)
  }

  /// Who may read the key may be the gateway; who may write it chooses who the gateway is.
  mutating func checkPermissions(of key: Located<String>, _ what: String, _ mode: UInt32) {
    let faults = [
      (UInt32(0o004), "read by everyone"), (0o002, "written by everyone"), (0o020, "written by its group"),
    ].filter { mode & $0.0 != 0 }.map(\.1)
    if faults.isEmpty { return }
    let kept = mode & 0o750
    report(
      FileProblem(
        code: "insecure-permissions",
        message: "the \(what) \(key.value) can be \(faults.joined(separator: " and ")) "
          + "(mode \(Self.octal(mode)))",
        hint: "chmod \(Self.octal(kept & ~0o020)) \(key.value)"),
      at: key.location)
  }

  private static func octal(_ mode: UInt32) -> String {
    let digits = String(mode, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}
