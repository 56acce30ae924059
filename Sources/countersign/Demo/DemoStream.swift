import EventLoop

/// A socket that waits: for the demo's own client and upstream, which do one thing at a time.
final class DemoStream {
  /// No step of the demo takes longer, unless something is broken.
  private static let patience = Duration.seconds(5)

  private var socket: StreamSocket?

  init(_ socket: consuming StreamSocket) { self.socket = consume socket }

  deinit { if let socket = socket.take() { socket.close() } }

  /// Dials, and waits until the other side has answered.
  convenience init(to address: NetworkAddress) throws {
    self.init(try StreamSocket.connect(to: address))
    try wait(for: .writable)
    switch socket {
    case .some(let socket): if let error = socket.connectError() { throw error }
    case .none: break
    }
  }

  /// - Returns: what came next; empty at the end of the stream.
  func receive() throws -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 16 * 1024)
    while true {
      switch socket {
      case .none: return []
      case .some(let socket):
        switch unsafe buffer.withUnsafeMutableBytes({ unsafe socket.receive(into: $0) }) {
        case .bytes(let count): return Array(buffer[..<count])
        case .endOfStream: return []
        case .failed(let error): throw error
        case .wouldBlock: try wait(for: .readable)
        }
      }
    }
  }

  func send(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      switch socket {
      case .none: return
      case .some(let socket):
        switch unsafe rest.withUnsafeBytes({ unsafe socket.send($0) }) {
        case .bytes(let count): rest = rest.dropFirst(count)
        case .endOfStream: return
        case .failed(let error): throw error
        case .wouldBlock: try wait(for: .writable)
        }
      }
    }
  }

  func endSending() {
    switch socket {
    case .some(let socket): socket.shutdownSending()
    case .none: break
    }
  }

  private func wait(for wanted: Readiness) throws {
    let number: Int32
    switch socket {
    case .some(let socket): number = socket.number
    case .none: return
    }
    let poller = try Poller()
    try poller.add(number, token: 0, mode: .edge)
    let end = MonotonicTime.now() + Self.patience
    var isReady = false
    while !isReady {
      let wait = end.timeoutMilliseconds(from: MonotonicTime.now())
      guard wait > 0 else { throw DemoError(message: "the other side did not answer in time") }
      try poller.wait(timeoutMilliseconds: wait) { _, readiness in
        isReady = !readiness.isDisjoint(with: [wanted, .error, .hangUp, .peerClosed])
      }
    }
  }
}

/// Something in the demo went wrong that is not part of the show.
struct DemoError: Error, CustomStringConvertible {
  let message: String

  var description: String { message }
}
