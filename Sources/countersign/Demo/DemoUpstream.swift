import EventLoop
import Synchronization

/// What the demo protects: a service that answers each line, and trusts whoever can reach it.
final class DemoUpstream {
  let address: NetworkAddress
  private let thread: WorkerThread
  private let stop: Mailbox<Bool>

  init() throws {
    let socket = try ListeningSocket.listen(on: .v4(0x7f00_0001, port: 0), backlog: 16, reusePort: false)
    guard let address = socket.localAddress() else {
      socket.close()
      throw DemoError(message: "the upstream's socket has no address")
    }
    self.address = address
    let stop = try Mailbox<Bool>()
    self.stop = stop
    let box = ListeningBox(socket)
    thread = try WorkerThread(name: "upstream") { try? Self.serve(box, stop) }
  }

  func end() {
    stop.post(true)
    thread.join()
  }

  private static func serve(_ listening: ListeningBox, _ stop: Mailbox<Bool>) throws {
    defer { listening.close() }
    let poller = try Poller()
    try poller.add(listening.number, token: 0, mode: .level)
    try poller.add(stop.descriptor, token: 1, mode: .level)
    var isStopped = false
    while !isStopped {
      var isWaiting = false
      try poller.wait(timeoutMilliseconds: -1) { token, _ in
        if token == 1 { isStopped = true } else { isWaiting = true }
      }
      guard isWaiting, let stream = listening.accept() else { continue }
      try? answer(stream)
    }
  }

  private static func answer(_ stream: DemoStream) throws {
    while true {
      let line = try stream.receive()
      guard !line.isEmpty else { return stream.endSending() }
      try stream.send(Array("the service answers: ".utf8) + line)
    }
  }
}

/// Hands a listening socket over to a thread.
private final class ListeningBox: Sendable {
  private let socket: Mutex<ListeningSocket?>

  init(_ socket: consuming ListeningSocket) { self.socket = Mutex(consume socket) }

  var number: Int32 {
    socket.withLock { socket in
      switch socket {
      case .some(let socket): socket.number
      case .none: -1
      }
    }
  }

  func accept() -> DemoStream? {
    socket.withLock { socket in
      switch socket {
      case .none: return nil
      case .some(let socket):
        switch socket.accept() {
        case .accepted(let accepted, _): return DemoStream(accepted)
        case .wouldBlock: return nil
        case .retry: return nil
        case .exhausted: return nil
        case .failed: return nil
        }
      }
    }
  }

  func close() {
    socket.withLock { socket in
      if let socket = socket.take() { socket.close() }
    }
  }
}
