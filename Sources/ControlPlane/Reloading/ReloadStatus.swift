package import AccessPolicy
import Synchronization

/// How the last attempts to follow the configuration came out, for whoever asks.
package final class ReloadStatus: Sendable {
  package struct Report: Sendable {
    /// SHA-256 over the files of what runs.
    package var version: String
    /// When that was loaded.
    package var loadedAt: Timestamp
    /// What was found in it that does not keep it from running.
    package var warnings: [Diagnostic] = []
    /// Configurations that went live since the start, the first one included.
    package var loads = 1
    /// Configurations that were refused since the start.
    package var rejections = 0
    /// Why what lies on disk does not run; empty where it runs.
    package var findings: [Diagnostic] = []
    /// When it was refused; nil where it runs.
    package var rejectedAt: Timestamp?
    /// How long connections go on in a drain.
    package var drainTimeout: Duration
  }

  private let state: Mutex<Report>

  init(version: String, loadedAt: Timestamp, drainTimeout: Duration) {
    state = Mutex(Report(version: version, loadedAt: loadedAt, drainTimeout: drainTimeout))
  }

  package var report: Report { state.withLock { $0 } }

  func loaded(_ version: String, _ warnings: [Diagnostic], at now: Timestamp, drainTimeout: Duration) {
    state.withLock {
      $0.version = version
      $0.loadedAt = now
      $0.loads += 1
      $0.drainTimeout = drainTimeout
    }
    settled(warnings)
  }

  /// What lies on disk is what runs.
  /// - Parameter warnings: what is found in it now; a certificate may have expired since it was loaded.
  func settled(_ warnings: [Diagnostic]) {
    state.withLock {
      $0.warnings = warnings
      $0.findings = []
      $0.rejectedAt = nil
    }
  }

  func rejected(_ findings: [Diagnostic], at now: Timestamp) {
    state.withLock {
      $0.rejections += 1
      $0.findings = findings
      $0.rejectedAt = now
    }
  }
}
