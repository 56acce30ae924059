import AccessPolicy
import DataPlane
import EventLoop
import GatewayConfiguration
import TLSEngine

/// Takes a running gateway from one configuration to the next: as a whole, or not at all. Belongs to one thread.
struct Reload {
  /// What came of an attempt.
  enum Outcome {
    case loaded
    /// What lies on disk is what runs.
    case unchanged
    /// What lies on disk is what runs again, after something that was refused.
    case withdrawn
    /// The same as the last attempt, which was refused.
    case stillRejected
    case rejected
  }

  private let path: String
  private let control: GatewayControl
  private let journal: Journal
  private let status: ReloadStatus
  /// `max_connections` where nothing is configured.
  private let defaultCapacity: Int
  /// What runs.
  private var running: LoadedConfiguration
  /// How the files were at the last attempt.
  private(set) var trace: FileTrace
  private var traced: Int64
  /// Names the last attempt that was refused: its files and what was found.
  private var rejected: [UInt8]?
  /// When an attempt that was refused is made again although no file has changed.
  private var retry = MonotonicTime.distantFuture

  init(
    path: String, running: LoadedConfiguration, trace: FileTrace, control: GatewayControl, journal: Journal,
    status: ReloadStatus, defaultCapacity: Int
  ) {
    self.path = path
    self.running = running
    self.trace = trace
    self.control = control
    self.journal = journal
    self.status = status
    self.defaultCapacity = defaultCapacity
    traced = wallClockNanoseconds()
  }

  /// Whether the files may not be what they were at the last attempt, seen from outside, without reading; or what
  /// refused them may have passed.
  var isDue: Bool { retry <= .now() || trace.isFresh(at: traced) || trace.again() != trace }

  /// How long a refused attempt is left alone. No file tells that a port was let go or that descriptors are to be had
  /// again, so that all are tried anew; one that takes long takes a tenth of a processor at most.
  static func pause(afterAttemptOf time: Duration) -> Duration { max(.seconds(5), time * 10) }

  /// Reads everything, and goes on under it where nothing is wrong with it.
  mutating func attempt() -> Outcome {
    let begun = MonotonicTime.now()
    let outcome = follow()
    let end = MonotonicTime.now()
    retry = rejected == nil ? .distantFuture : end + Self.pause(afterAttemptOf: end - begun)
    return outcome
  }

  private mutating func follow() -> Outcome {
    traced = wallClockNanoseconds()
    let attempt = ConfigurationLoader.attempt(path: path, isRunning: true)
    trace = attempt.trace
    let now = Timestamp(nanoseconds: wallClockNanoseconds())
    var findings = attempt.diagnostics
    guard let loaded = attempt.configuration else { return reject(attempt, findings, now) }
    let (snapshot, found) = SnapshotBuilder.build(loaded, now: now)
    findings += found + RestartOnly.findings(from: running, to: loaded)
    findings.sort { $0.location < $1.location }
    guard let snapshot, !findings.contains(where: { $0.severity == .error }) else {
      return reject(attempt, findings, now)
    }
    guard snapshot.version != control.snapshot.version else {
      status.settled(findings)
      guard rejected != nil else { return .unchanged }
      rejected = nil
      // Else the log ends with a refusal of what is not there any more.
      journal.loaded(loaded, version: snapshot.version, warnings: findings)
      return .withdrawn
    }
    do {
      let hearing = try GatewayControl.Hearing()
      let plan = try control.board.plan(snapshot.listeners)
      let configuration = loaded.configuration
      // Ahead of what follows from it: connections that end by it come behind it in the log.
      journal.loaded(loaded, version: snapshot.version, warnings: findings)
      control.adopt(
        snapshot, plan, maxConnections: configuration.limits.maxConnections ?? defaultCapacity, hearing)
      running = loaded
      rejected = nil
      status.loaded(snapshot.version, findings, at: now, drainTimeout: configuration.drainTimeout)
      return .loaded
    } catch {
      return reject(attempt, findings + [finding(error, loaded)], now)
    }
  }

  private mutating func reject(
    _ attempt: LoadingAttempt, _ findings: [Diagnostic], _ now: Timestamp
  ) -> Outcome {
    let name = Self.name(attempt.files, findings)
    guard name != rejected else { return .stillRejected }
    rejected = name
    status.rejected(findings, at: now)
    journal.rejected(attempt.files, findings)
    return .rejected
  }

  private static func name(_ files: [LoadedFile], _ findings: [Diagnostic]) -> [UInt8] {
    var text = FindingsReport(findings).text
    for file in files { text += "\(file.path) \(SHA256.hexadecimal(file.bytes))\n" }
    return SHA256.hash(Array(text.utf8))
  }

  private func finding(_ error: any Error, _ loaded: LoadedConfiguration) -> Diagnostic {
    guard let error = error as? ListenError else {
      return Diagnostic(
        .error, at: SourceLocation(file: path), code: "no-resources", message: "cannot reload: \(error)",
        hint: "raise the limit of descriptors, or free memory")
    }
    let listener = loaded.configuration.listeners.first { $0.name.value == error.listener }
    return Diagnostic(
      .error, at: listener?.address.location ?? SourceLocation(file: loaded.configuration.file),
      code: "cannot-listen", message: "\(error)")
  }
}
