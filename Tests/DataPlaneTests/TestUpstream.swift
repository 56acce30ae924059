import AccessPolicy
import EventLoop
import GatewayConfiguration
import Testing

/// A socket that a test moves bytes through by hand, with everything that came in.
final class ScriptedSocket {
  private var socket: StreamSocket?
  private(set) var received: [UInt8] = []
  private(set) var hasEnded = false
  private(set) var error: SystemError?
  private var outgoing: [UInt8] = []
  private var endsAfterFlush = false
  /// While false nothing is read, so that the other side meets backpressure.
  var isReading = true

  init(_ socket: consuming StreamSocket) { self.socket = consume socket }

  deinit { if let socket = socket.take() { socket.close() } }

  /// Bytes that the kernel has not taken yet.
  var unsent: Int { outgoing.count }

  var isOpen: Bool { socket != nil && !hasEnded && error == nil }

  func send(_ bytes: [UInt8]) { outgoing += bytes }
  func endSending() { endsAfterFlush = true }

  func close(reset: Bool = false) {
    guard let socket = socket.take() else { return }
    if reset { socket.resetOnClose() }
    socket.close()
  }

  /// Takes what came in, so that `received` starts anew.
  func takeReceived() -> [UInt8] {
    defer { received = [] }
    return received
  }

  func pump() {
    flush()
    guard isReading else { return }
    var buffer = [UInt8](repeating: 0, count: 65536)
    while !hasEnded, error == nil {
      let step: IOStep
      switch socket {
      case .some(let socket):
        step = unsafe buffer.withUnsafeMutableBytes { unsafe socket.receive(into: $0) }
      case .none: return
      }
      switch step {
      case .bytes(let count): received += buffer[..<count]
      case .wouldBlock: return
      case .endOfStream: hasEnded = true
      case .failed(let failure): error = failure
      }
    }
  }

  private func flush() {
    while !outgoing.isEmpty {
      let step: IOStep
      switch socket {
      case .some(let socket): step = unsafe outgoing.withUnsafeBytes { unsafe socket.send($0) }
      case .none: return
      }
      // The kernel tells an error once, to whatever call comes first.
      if case .failed(let failure) = step, failure.name == "ECONNRESET" { error = failure }
      guard case .bytes(let count) = step else { return }
      outgoing.removeFirst(count)
    }
    guard endsAfterFlush else { return }
    endsAfterFlush = false
    switch socket {
    case .some(let socket): socket.shutdownSending()
    case .none: break
    }
  }
}

/// What stands behind the gateway in a test: it accepts, and the test says what it answers.
final class TestUpstream {
  private var listening: ListeningSocket?
  let address: SocketAddress
  private(set) var connections: [ScriptedSocket] = []

  init() throws {
    let socket = try ListeningSocket.listen(
      on: .v4(0x7f00_0001, port: 0), backlog: 16, reusePort: false)
    let port = socket.localAddress()?.port ?? 0
    listening = consume socket
    address = .ip(IPAddress(v4: 0x7f00_0001), port: port)
  }

  deinit { if let socket = listening.take() { socket.close() } }

  /// Makes further dials fail with ECONNREFUSED.
  func stopListening() { if let socket = listening.take() { socket.close() } }

  func pump() {
    accept()
    for connection in connections { connection.pump() }
  }

  private func accept() {
    switch listening {
    case .none: return
    case .some(let socket):
      switch socket.accept() {
      case .accepted(let accepted, _): connections.append(ScriptedSocket(accepted))
      case .wouldBlock: return
      case .retry: return
      case .exhausted: return
      case .failed: return
      }
    }
  }
}

/// An address that answers nothing: its backlog is full, so that Linux lets further SYNs fall.
final class HangingUpstream {
  private var listening: ListeningSocket?
  private var filling: [ScriptedSocket] = []
  let address: SocketAddress

  init() throws {
    let socket = try ListeningSocket.listen(on: .v4(0x7f00_0001, port: 0), backlog: 0, reusePort: false)
    let bound = socket.localAddress()
    listening = consume socket
    address = .ip(IPAddress(v4: 0x7f00_0001), port: bound?.port ?? 0)
    for _ in 0..<4 {
      filling.append(ScriptedSocket(try StreamSocket.connect(to: try #require(bound))))
    }
  }

  deinit { if let socket = listening.take() { socket.close() } }
}
