import AccessPolicy
import EventLoop

/// An attempt to reach an upstream: its addresses in turn, until one answers.
struct UpstreamDial {
  private var remaining: ArraySlice<UpstreamTarget>
  private(set) var target: UpstreamTarget?
  /// Why the last address did not answer.
  private(set) var lastError: String?
  /// That error's name, such as `ECONNREFUSED`.
  private(set) var lastCode: String?
  private(set) var lastReason = FailureReason.upstreamUnreachable

  init(_ candidates: Resolution) {
    switch candidates {
    case .addresses(let targets): remaining = targets[...]
    case .failed(let message):
      remaining = []
      lastError = message
    }
  }

  /// The address that is being dialled, or that answered, or that was tried last.
  var current: NetworkAddress? { target?.address }
  /// What the certificate of that address must name.
  var serverName: String? { target?.serverName }
  var hasNext: Bool { !remaining.isEmpty }

  /// - Returns: the address to try now; nil where none is left.
  mutating func next() -> UpstreamTarget? {
    guard let next = remaining.popFirst() else { return nil }
    target = next
    return next
  }

  mutating func failed(_ error: SystemError) { failed(message: "\(error)", code: error.name) }

  mutating func failed(message: String, code: String?, reason: FailureReason = .upstreamUnreachable) {
    lastError = message
    lastCode = code
    lastReason = reason
  }
}
