import EventLoop

/// A connected socket with what the edge-triggered poller last said of it: a readiness holds from the event
/// on until a call would block.
struct SocketEnd: ~Copyable {
  private var socket: StreamSocket?
  var isReadable = false
  var isWritable = false
  /// The connection broke or both sides have ended: nothing can be sent any more.
  private(set) var isBroken = false
  /// The peer has ended its sending side: behind the bytes that are there stands the end of the stream.
  private var hasPeerEnded = false
  /// Why a send failed. The kernel tells an error once (SO_ERROR, socket(7)) and then plays the end of the
  /// stream, so a reset that a send met must be remembered for the receive.
  private var sendFailure: SystemError?

  init(_ socket: consuming StreamSocket) { self.socket = consume socket }

  /// The descriptor, for the poller; nil once closed.
  var number: Int32? {
    switch socket {
    case .some(let socket): socket.number
    case .none: nil
    }
  }

  mutating func note(_ readiness: Readiness) {
    if readiness.contains(.readable) || readiness.contains(.peerClosed) { isReadable = true }
    if readiness.contains(.peerClosed) { hasPeerEnded = true }
    if readiness.contains(.writable) { isWritable = true }
    if readiness.contains(.error) || readiness.contains(.hangUp) {
      isBroken = true
      hasPeerEnded = true
      // The call that comes next tells what happened.
      isReadable = true
      isWritable = true
    }
  }

  mutating func receive(into buffer: UnsafeMutableRawBufferPointer) -> IOStep {
    let step: IOStep
    switch socket {
    case .some(let socket): step = unsafe socket.receive(into: buffer)
    case .none: return .endOfStream
    }
    switch step {
    case .wouldBlock: isReadable = false
    // A short read has emptied the queue (epoll(7), Q9), which saves the call that would say so; the end of
    // the stream, which has no bytes of its own, is still to be read where the peer has ended.
    case .bytes(let count): if count < buffer.count, !hasPeerEnded { isReadable = false }
    case .endOfStream: if let sendFailure { return .failed(sendFailure) }
    case .failed: break
    }
    return step
  }

  mutating func send(_ bytes: UnsafeRawBufferPointer) -> IOStep {
    let step: IOStep
    switch socket {
    case .some(let socket): step = unsafe socket.send(bytes)
    case .none:
      isWritable = false
      return .wouldBlock
    }
    switch step {
    case .wouldBlock: isWritable = false
    case .bytes(let count): if count < bytes.count { isWritable = false }
    case .endOfStream: break
    case .failed(let error): noteSendFailure(error)
    }
    return step
  }

  /// Nothing can be sent any more; what the peer sent before, and how it ended, is still to be read.
  private mutating func noteSendFailure(_ error: SystemError) {
    // EPIPE says that the peer had ended its side before: what it sent is whole.
    if error.name != "EPIPE" { sendFailure = error }
    isBroken = true
    isWritable = false
    isReadable = true
  }

  func connectError() -> SystemError? {
    switch socket {
    case .some(let socket): socket.connectError()
    case .none: nil
    }
  }

  /// Whether a connect has ended well.
  var isConnected: Bool {
    switch socket {
    case .some(let socket): socket.remoteAddress() != nil
    case .none: false
    }
  }

  /// The address that the peer has reached; nil once the socket is closed.
  func localAddress() -> NetworkAddress? {
    switch socket {
    case .some(let socket): socket.localAddress()
    case .none: nil
    }
  }

  func acknowledgeNow() {
    switch socket {
    case .some(let socket): socket.acknowledgeNow()
    case .none: break
    }
  }

  func shutdownSending() {
    switch socket {
    case .some(let socket): socket.shutdownSending()
    case .none: break
    }
  }

  /// - Parameter reset: whether the peer is to see a reset instead of the end of the stream.
  mutating func close(reset: Bool, _ poller: Poller) {
    guard let socket = socket.take() else { return }
    poller.remove(socket.number)
    if reset { socket.resetOnClose() }
    socket.close()
  }
}
