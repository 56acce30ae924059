import GatewayConfiguration

extension FileReading {
  /// Looks at the file that the records are to go to, and at the chain in it, as the start does. That a running
  /// gateway writes it is no finding: it is asked about while it runs.
  mutating func checkAuditLog(_ audit: Audit, key: AuditKey?) {
    guard case .file(let path) = audit.destination, let place = audit.place else { return }
    let target = AuditTarget(path: path, isSynced: audit.durability == .synced)
    do throws(FileProblem) {
      guard let status = try target.inspect(), status.isRegular else { return }
      // A key that cannot be used is a finding of its own, and nothing else tells whose chain it is.
      if audit.key != nil, key == nil { return }
      _ = try target.tail(size: status.size, sealedBy: audit.integrity ? AuditKey.digest(key) : nil)
    } catch {
      report(error, at: place)
    }
  }
}
