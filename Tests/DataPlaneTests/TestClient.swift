import EventLoop
import TLSEngine

/// A TLS client that a test turns by hand.
final class TestClient {
  let socket: ScriptedSocket
  private let session: TLSClientSession
  private let buffers = RecordBuffers(inboundCapacity: 128 * 1024, outboundCapacity: 128 * 1024)
  private(set) var received: [UInt8] = []
  /// Bytes of data in the largest record so far: a read takes one record at most.
  private(set) var largestRecord = 0
  private(set) var isEstablished = false
  private(set) var hasCloseNotify = false
  private(set) var failure: String?
  private var ciphertext: [UInt8] = []
  private var waiting: [UInt8] = []
  private var closesAfterSending = false
  /// TLS has not begun: a request for it is not answered.
  private var isWaiting: Bool
  /// To that request.
  private(set) var answer: UInt8?
  /// Closes its socket as soon as the gateway has ended its side, as most clients do.
  var hangsUpAtTheEnd = true

  /// What the server is asked for TLS with, once it has greeted; nil: TLS begins at once.
  private var tlsRequest: [UInt8]?

  /// - Parameters:
  ///   - request: sent in plaintext; TLS begins behind an answer of one byte, where it is not empty.
  ///   - tlsRequest: sent once the server has greeted; TLS begins behind it.
  init(
    to address: NetworkAddress, pki: TestPKI, identity: TestPKI.Identity?, asking request: [UInt8] = [],
    tlsRequest: [UInt8]? = nil
  ) throws {
    self.tlsRequest = tlsRequest
    isWaiting = !request.isEmpty
    session = try TLSClientSession(try TLSClientContext(pki.clientOptions(identity)), buffers: buffers)
    socket = ScriptedSocket(try StreamSocket.connect(to: address))
    socket.send(request)
  }

  /// The connection is over, whichever way.
  var isOver: Bool { socket.hasEnded || socket.error != nil }

  /// Bytes that neither TLS nor the socket has taken yet.
  var unsent: Int { waiting.count + socket.unsent }

  func send(_ bytes: [UInt8]) { waiting += bytes }

  /// Drops what was received, so that `received` starts anew.
  func forget() { received = [] }

  /// Sends `close_notify` behind everything, and the end of the TCP stream behind it.
  func closeSending() { closesAfterSending = true }

  func pump() {
    socket.pump()
    ciphertext += socket.takeReceived()
    if isWaiting, !ciphertext.isEmpty {
      answer = ciphertext.removeFirst()
      isWaiting = false
    }
    guard tlsRequest == nil || askForTLS() else { return }
    feed()
    if !isEstablished, failure == nil, !isWaiting { step() }
    if isEstablished, failure == nil {
      read()
      write()
    }
    flush()
    socket.pump()
    if socket.hasEnded, hangsUpAtTheEnd { socket.close() }
  }

  /// - Returns: whether the server has greeted.
  private func askForTLS() -> Bool {
    guard let request = tlsRequest, !ciphertext.isEmpty else { return false }
    ciphertext = []
    tlsRequest = nil
    socket.send(request)
    return true
  }

  private func step() {
    switch session.handshake(now: TestPKI.now) {
    case .complete: isEstablished = true
    case .failed(let problem): failure = problem.message
    case .incomplete: break
    }
  }

  private func feed() {
    let room = unsafe buffers.inboundSpace
    let count = min(room.count, ciphertext.count)
    guard count > 0 else { return }
    unsafe room.copyBytes(from: ciphertext.prefix(count))
    buffers.received(count)
    ciphertext.removeFirst(count)
  }

  private func read() {
    var buffer = [UInt8](repeating: 0, count: 16384)
    while true {
      switch unsafe buffer.withUnsafeMutableBytes({ unsafe session.read(into: $0) }) {
      case .bytes(let count):
        received += buffer[..<count]
        largestRecord = max(largestRecord, count)
      case .closeNotify:
        hasCloseNotify = true
        return
      case .failed(let message):
        failure = message
        return
      case .wouldBlock:
        guard !ciphertext.isEmpty else { return }
        feed()
      }
    }
  }

  private func write() {
    while !waiting.isEmpty, socket.unsent == 0, buffers.outboundRoom > 32768 {
      let piece = Array(waiting.prefix(16384))
      guard case .bytes(let count) = unsafe piece.withUnsafeBytes({ unsafe session.write($0) }) else { break }
      waiting.removeFirst(count)
    }
    guard waiting.isEmpty, closesAfterSending else { return }
    closesAfterSending = false
    session.sendCloseNotify()
    flush()
    socket.endSending()
  }

  private func flush() {
    socket.send(unsafe Array(buffers.outbound))
    buffers.clearOutbound()
  }
}
