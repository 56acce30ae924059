import AccessPolicy
import GatewayConfiguration

/// What holds for the whole life of a process: the log, whose chain and promises must not change under those who rest
/// on them, and the threads.
enum RestartOnly {
  /// - Returns: an error for each key that a running gateway cannot follow.
  static func findings(from running: LoadedConfiguration, to new: LoadedConfiguration) -> [Diagnostic] {
    let (before, after) = (running.configuration, new.configuration)
    var changed: [(key: String, what: String)] = []
    func compare<Value: Equatable>(_ key: String, _ old: Value, _ new: Value, _ show: (Value) -> String) {
      if old != new { changed.append((key, "\(show(old)) to \(show(new))")) }
    }
    compare("audit.path", before.audit.destination, after.audit.destination, text)
    compare("audit.durability", before.audit.durability, after.audit.durability) { $0.rawValue }
    compare("audit.when_unavailable", before.audit.whenUnavailable, after.audit.whenUnavailable) {
      $0.rawValue
    }
    compare("audit.integrity", before.audit.integrity, after.audit.integrity) { "\($0)" }
    compare("audit.key", before.audit.key?.value, after.audit.key?.value) { $0 ?? "no key" }
    compare("workers", before.workers, after.workers) { $0.map(String.init) ?? "auto" }
    if !changed.contains(where: { $0.key == "audit.key" }), running.auditKey?.bytes != new.auditKey?.bytes {
      changed.append(("audit.key", "the key in \(after.audit.key?.value ?? "the file") to another one"))
    }
    return changed.map { key, what in
      Diagnostic(
        .error, at: after.places[key] ?? SourceLocation(file: after.file), code: "needs-restart",
        message: "\(key) cannot change while the gateway runs: \(what)",
        hint: "restart the gateway, or write what was there")
    }
  }

  private static func text(_ destination: Audit.Destination) -> String {
    switch destination {
    case .standardOutput: "stdout"
    case .standardError: "stderr"
    case .file(let path): path
    }
  }
}
