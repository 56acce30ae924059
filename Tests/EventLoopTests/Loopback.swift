import EventLoop
import Glibc

/// 127.0.0.1 with a port of the kernel's choice.
let anyLoopbackPort = NetworkAddress.v4(0x7f00_0001, port: 0)

/// Two ends of one connection. Close it at the end of the test: a leak traps.
struct ConnectedPair: ~Copyable {
  let client: StreamSocket
  let server: StreamSocket
  let clientSeenAs: NetworkAddress

  consuming func close() {
    client.close()
    server.close()
  }
}

/// The test's world is broken: there is no use in going on.
struct SetUpFailure: Error {
  let what: String
}

/// Connects to a listener and accepts the other end.
func connect(to target: NetworkAddress, _ listener: borrowing ListeningSocket) throws -> ConnectedPair {
  let client = try StreamSocket.connect(to: target)
  guard readiness(of: listener.number).contains(.readable) else {
    client.close()
    throw SetUpFailure(what: "nobody came to the listener")
  }
  switch listener.accept() {
  case .accepted(let server, from: let peer):
    _ = readiness(of: client.number, .writable)
    return ConnectedPair(client: client, server: server, clientSeenAs: peer)
  default:
    client.close()
    throw SetUpFailure(what: "accept gave no connection")
  }
}

/// A fresh TCP connection over the loopback; its listener is gone.
func connectedPair(on address: NetworkAddress = anyLoopbackPort) throws -> ConnectedPair {
  let listener = try ListeningSocket.listen(on: address, backlog: 8, reusePort: false)
  guard let target = listener.localAddress() else {
    listener.close()
    throw SetUpFailure(what: "a listener without an address")
  }
  do {
    let pair = try connect(to: target, listener)
    listener.close()
    return pair
  } catch {
    listener.close()
    throw error
  }
}

/// Waits until the descriptor has one of the wanted states, at most ten seconds; what it had then.
func readiness(of descriptor: Int32, _ wanted: Readiness = .readable) -> Readiness {
  let deadline = MonotonicTime.now() + .seconds(10)
  var seen: Readiness = []
  guard let poller = try? Poller() else { return [] }
  guard (try? poller.add(descriptor, token: 0, mode: .edge)) != nil else { return [] }
  while seen.isDisjoint(with: wanted), MonotonicTime.now() < deadline {
    try? poller.wait(timeoutMilliseconds: 100) { _, state in seen.formUnion(state) }
  }
  return seen
}

extension StreamSocket {
  borrowing func send(text: String) -> IOStep {
    let bytes = Array(text.utf8)
    return unsafe bytes.withUnsafeBytes { unsafe self.send($0) }
  }

  /// Waits for bytes, an end or an error, and takes it.
  borrowing func receiveText(limit: Int = 65_536) -> (step: IOStep, text: String) {
    _ = readiness(of: number)
    return takeText(limit: limit)
  }

  /// Takes what is there now.
  borrowing func takeText(limit: Int = 65_536) -> (step: IOStep, text: String) {
    var bytes = [UInt8](repeating: 0, count: limit)
    let step = unsafe bytes.withUnsafeMutableBytes { unsafe self.receive(into: $0) }
    guard case .bytes(let count) = step else { return (step, "") }
    return (step, String(decoding: bytes[..<count], as: UTF8.self))
  }
}

/// An integer option of a socket, as the kernel has it.
func option(_ descriptor: Int32, _ level: Int32, _ name: Int32) -> Int32? {
  var value: Int32 = 0
  var size = socklen_t(MemoryLayout<Int32>.size)
  guard unsafe getsockopt(descriptor, level, name, &value, &size) == 0 else { return nil }
  return value
}

/// Whether this machine has IPv6 on its loopback; containers often have none.
let hasIPv6: Bool = {
  guard let socket = try? ListeningSocket.listen(on: .v6(1, port: 0, scope: 0), backlog: 1, reusePort: false)
  else { return false }
  socket.close()
  return true
}()

/// A folder of its own, removed at the end.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  var template = Array("/tmp/countersign-test-XXXXXX".utf8CString)
  guard unsafe mkdtemp(&template) != nil else { throw SetUpFailure(what: "mkdtemp") }
  let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  defer {
    for name in ["socket", "file"] { _ = unsafe unlink(folder + "/" + name) }
    _ = unsafe rmdir(folder)
  }
  return try body(folder)
}
