import EventLoop

/// An attempt to reach an upstream: its addresses in turn, until one answers.
struct UpstreamDial {
  private var remaining: ArraySlice<NetworkAddress>
  /// The address that is being dialled, or that answered, or that was tried last.
  private(set) var current: NetworkAddress?
  /// Why the last address did not answer.
  private(set) var lastError: String?
  /// That error's name, such as `ECONNREFUSED`.
  private(set) var lastCode: String?

  init(_ candidates: Resolution) {
    switch candidates {
    case .addresses(let addresses): remaining = addresses[...]
    case .failed(let message):
      remaining = []
      lastError = message
    }
  }

  /// - Returns: the address to try now; nil where none is left.
  mutating func next() -> NetworkAddress? {
    guard let address = remaining.popFirst() else { return nil }
    current = address
    return address
  }

  mutating func failed(_ error: SystemError) {
    lastError = "\(error)"
    lastCode = error.name
  }
}
