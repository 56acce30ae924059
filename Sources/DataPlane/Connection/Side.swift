import EventLoop
import TLSEngine

/// One side of a connection: its socket, TLS over it where there is any, and what waits on its way.
///
/// Confined to its worker's thread. Each call borrows the worker's buffers and leaves nothing in them: what TLS
/// has not taken, or the socket not sent, is kept here, and an idle side holds no bytes at all.
final class Side {
  /// What is to be expected of a side after a read.
  enum Source { case more, waits, ended, broken }

  var socket: SocketEnd
  /// nil: bytes go as they are.
  var tls: TLSLayer?
  /// Bytes that were read and put back, before everything that comes from the socket.
  private var unread = PendingBytes()
  /// Ciphertext that was received and that TLS has not taken yet, because the other side is slower.
  private var undecrypted = PendingBytes()
  /// What the socket has not taken yet.
  private(set) var unsent = PendingBytes()
  /// The peer is told the end of the stream as soon as ``unsent`` is empty.
  private var endsAfterFlush = false
  /// The peer dropped TCP without `close_notify`: its last bytes may be missing (RFC 8446 §6.1).
  private(set) var isTruncated = false
  /// The peer is not told that the stream is whole.
  private var isCut = false

  init(_ socket: consuming StreamSocket) { self.socket = SocketEnd(socket) }

  /// Drops what waits: nothing of it matters any more.
  func forget() {
    unread.clear()
    undecrypted.clear()
    unsent.clear()
  }

  /// - Parameter reset: whether the peer is to see a reset instead of the end of the stream.
  func close(reset: Bool, _ poller: Poller) {
    socket.close(reset: reset, poller)
    forget()
  }

  // MARK: From the peer

  /// Puts bytes back that were read too far.
  func putBack(_ bytes: UnsafeRawBufferPointer) { unsafe unread.append(bytes) }

  /// Gives bytes that were received before there was TLS to the TLS that is there now.
  func putBackCiphertext(_ bytes: UnsafeRawBufferPointer) { unsafe undecrypted.append(bytes) }

  /// Fills the worker's plaintext buffer as far as the peer's bytes go: several records make one send.
  /// - Parameter filled: how many bytes stand in the buffer; they count whatever the source says.
  func read(_ worker: Worker, _ filled: inout Int) -> Source {
    guard unread.isEmpty else {
      unsafe unread.take { bytes in
        filled = unsafe min(bytes.count, worker.plaintext.count)
        unsafe worker.plaintext.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<filled]))
        return filled
      }
      return .more
    }
    guard let tls else { return receive(worker, &filled) }
    loadCiphertext(worker)
    let source = decrypt(tls, worker, &filled)
    saveCiphertext(worker)
    flushRecords(worker)
    return source
  }

  private func receive(_ worker: Worker, _ filled: inout Int) -> Source {
    guard socket.isReadable else { return .waits }
    switch unsafe socket.receive(into: worker.plaintext) {
    case .bytes(let count):
      filled = count
      return .more
    case .wouldBlock: return .waits
    case .endOfStream: return .ended
    case .failed: return .broken
    }
  }

  /// Receives that one read may need: a record may come in many pieces, and records without data (KeyUpdate,
  /// NewSessionTicket) without end. ``Source/more`` without bytes then says that there are others to serve.
  private static let receivesPerRead = 64

  private func decrypt(_ tls: TLSLayer, _ worker: Worker, _ filled: inout Int) -> Source {
    var receives = 0
    while unsafe filled < worker.plaintext.count {
      let room = unsafe UnsafeMutableRawBufferPointer(rebasing: worker.plaintext[filled...])
      switch unsafe tls.read(into: room) {
      case .bytes(let count): filled += count
      case .closeNotify: return .ended
      case .failed: return .broken
      case .wouldBlock:
        guard socket.isReadable else { return .waits }
        receives += 1
        guard receives <= Self.receivesPerRead else { return .more }
        // Only a session that cannot write any more leaves so much unread.
        switch receiveCiphertext(worker) {
        case .bytes: break
        case .wouldBlock: return .waits
        case .endOfStream:
          isTruncated = true
          return .ended
        case .failed, nil: return .broken
        }
      }
    }
    return .more
  }

  /// - Returns: nil where the inbound buffer is full.
  func receiveCiphertext(_ worker: Worker) -> IOStep? {
    let space = unsafe worker.buffers.inboundSpace
    guard unsafe !space.isEmpty else { return nil }
    let step = unsafe socket.receive(into: space)
    if case .bytes(let count) = step { worker.buffers.received(count) }
    return step
  }

  /// Puts ciphertext that was kept from before into the worker's buffer.
  func loadCiphertext(_ worker: Worker) {
    guard !undecrypted.isEmpty else { return }
    unsafe undecrypted.take { bytes in
      unsafe worker.buffers.loadInbound(bytes)
      return bytes.count
    }
  }

  /// Keeps what TLS did not take: the buffer belongs to the next side.
  func saveCiphertext(_ worker: Worker) {
    unsafe undecrypted.append(worker.buffers.inboundUnread)
    worker.buffers.clearInbound()
  }
}

// MARK: - To the peer

extension Side {
  /// Sends bytes, encrypted where there is TLS; what the socket does not take waits in ``unsent``.
  ///
  /// A socket that broke takes nothing, and the next read says what happened to it.
  /// - Returns: false where TLS cannot go on.
  func write(_ bytes: UnsafeRawBufferPointer, _ worker: Worker) -> Bool {
    guard let tls else {
      unsafe sendOrKeep(bytes)
      return true
    }
    var written = 0
    while written < bytes.count {
      switch unsafe tls.write(UnsafeRawBufferPointer(rebasing: bytes[written...])) {
      case .bytes(let count): written += count
      // The outbound buffer is full: its bytes move on to the peer or wait for it.
      case .wouldBlock where unsafe !worker.buffers.outbound.isEmpty: flushRecords(worker)
      case .wouldBlock, .failed:
        // Nothing of this side may stay in a buffer that serves others next.
        flushRecords(worker)
        return false
      }
    }
    flushRecords(worker)
    return true
  }

  /// Sends what TLS wrote, behind what waits already.
  func flushRecords(_ worker: Worker) {
    let records = unsafe worker.buffers.outbound
    guard unsafe !records.isEmpty else { return }
    unsafe sendOrKeep(records)
    worker.buffers.clearOutbound()
  }

  private func sendOrKeep(_ bytes: UnsafeRawBufferPointer) {
    var sent = 0
    if unsent.isEmpty, socket.isWritable {
      if case .bytes(let count) = unsafe socket.send(bytes) { sent = count }
    }
    unsafe unsent.append(UnsafeRawBufferPointer(rebasing: bytes[sent...]))
  }

  /// Sends what waits, and the end of the stream behind it where that is due.
  /// - Returns: whether some of it went out.
  @discardableResult
  func flush() -> Bool {
    let waiting = unsent.count
    while !unsent.isEmpty, socket.isWritable {
      unsafe unsent.take { bytes in
        if case .bytes(let count) = unsafe socket.send(bytes) { return count }
        return 0
      }
    }
    if unsent.isEmpty, endsAfterFlush {
      endsAfterFlush = false
      socket.shutdownSending()
    }
    return unsent.count < waiting
  }

  /// Lets the end come without `close_notify`: bytes are missing, and the peer is to see that (RFC 8446 §6.1).
  func cut() { isCut = true }

  /// Says that no more will come: `close_notify` where there is TLS, the end of the stream behind everything.
  func end(_ worker: Worker) {
    if !isCut { tls?.sendCloseNotify() }
    flushRecords(worker)
    endAfterFlush()
  }

  /// As ``end(_:)``, but without `close_notify`: behind an alert there is nothing more to say.
  func endAfterFlush() {
    endsAfterFlush = true
    flush()
  }
}
