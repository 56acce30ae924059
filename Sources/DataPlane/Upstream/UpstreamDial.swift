import AccessPolicy
import EventLoop

/// A socket that is being connected to one address.
struct DialAttempt {
  let candidate: UpstreamCandidate
  let side: Side
  let started: MonotonicTime
}

/// The way of one connection to its upstream: the addresses still to be tried, those that are being tried, and
/// why the others did not do.
struct UpstreamDial {
  /// Failures that a message names; a name may have hundreds of addresses.
  private static let namedFailures = 8

  private var remaining: ArraySlice<UpstreamCandidate>
  private var candidate: UpstreamCandidate?
  /// Dialled beside each other, the oldest first; few, and most often one.
  private(set) var attempts: [DialAttempt] = []
  private var failures: [String] = []
  private var failureCount = 0
  /// The last error's name, such as `ECONNREFUSED`.
  private(set) var lastCode: String?
  private(set) var lastReason = FailureReason.upstreamUnreachable

  init(_ candidates: [UpstreamCandidate]) { remaining = candidates[...] }

  /// No address to dial.
  init(problem: String) {
    remaining = []
    note(problem)
  }

  /// The address that is being dialled, or that answered, or that was tried last.
  var current: NetworkAddress? { candidate?.target.address }
  var target: UpstreamTarget? { candidate?.target }
  /// What the configuration calls it.
  var currentText: String? { candidate?.target.text }
  /// What the certificate of that address must name.
  var serverName: String? { candidate?.target.serverName }
  var endpoint: UpstreamEndpoint? { candidate?.endpoint }
  var hasNext: Bool { !remaining.isEmpty }

  /// - Returns: the address to try now; nil where none is left.
  mutating func next() -> UpstreamCandidate? {
    guard let next = remaining.popFirst() else { return nil }
    candidate = next
    return next
  }

  mutating func begin(_ attempt: DialAttempt) { attempts.append(attempt) }

  /// Takes an attempt out; its socket is the caller's.
  mutating func end(_ attempt: DialAttempt) { attempts.removeAll { $0.side === attempt.side } }

  /// Takes all attempts out.
  mutating func endAll() -> [DialAttempt] {
    defer { attempts = [] }
    return attempts
  }

  /// This attempt got through first. The others may still be tried where it turns out not to do.
  /// - Returns: the others, whose sockets are the caller's.
  mutating func won(_ attempt: DialAttempt) -> [DialAttempt] {
    candidate = attempt.candidate
    let others = endAll().filter { $0.side !== attempt.side }
    remaining += others.map(\.candidate)
    return others
  }

  /// Nothing further will be tried, and a connection that lives for days need not hold it.
  mutating func settle() {
    remaining = []
    failures = []
  }

  // MARK: What went wrong

  /// What went wrong at each address, for people.
  var problems: String {
    guard failureCount > 0 else { return "no address to dial" }
    let unnamed = failureCount - failures.count
    return failures.joined(separator: "; ") + (unnamed > 0 ? "; and \(unnamed) more" : "")
  }

  mutating func failed(_ target: UpstreamTarget, _ error: SystemError) {
    note("\(target.label): \(error)")
    lastCode = error.name
    lastReason = .upstreamUnreachable
  }

  /// The present address did not do.
  mutating func failed(message: String, code: String?, reason: FailureReason = .upstreamUnreachable) {
    note(candidate.map { "\($0.target.label): \(message)" } ?? message)
    lastCode = code
    lastReason = reason
  }

  /// An address that did not answer in time.
  mutating func timedOut(_ target: UpstreamTarget, _ message: String) { note("\(target.label): \(message)") }

  private mutating func note(_ problem: String) {
    failureCount += 1
    if failures.count < Self.namedFailures { failures.append(problem) }
  }
}
