import AccessPolicy
import EventLoop
import TLSEngine

extension Connection {
  /// The client hears `close_notify` and the end of the stream; the upstream is hung up on at once.
  func tellClientTheEnd(_ worker: Worker) {
    session?.sendCloseNotify()
    flushRecords(worker)
    beginLingering(worker)
  }

  /// Lets the last word reach the client before its socket is closed: close(2) with unread bytes in the
  /// receive queue sends a reset (RFC 2525 §2.17), which would overtake an alert.
  func beginLingering(_ worker: Worker) {
    upstream?.close(reset: false, worker.poller)
    toUpstream.clear()
    savedInbound.clear()
    clientEndsAfterFlush = true
    flushToClient(worker)
    linger(worker)
  }

  /// Sends what is left to send, and reads away what the client still says, until it hangs up.
  func linger(_ worker: Worker) {
    if client.isWritable { flushToClient(worker) }
    guard client.isReadable else { return }
    var budget = 4
    while budget > 0 {
      switch unsafe client.receive(into: worker.plaintext) {
      case .bytes: budget -= 1
      case .wouldBlock: return
      case .endOfStream:
        // A client that is gone (EPOLLHUP or EPOLLERR) will never take what still waits for it.
        if toClient.isEmpty || client.isBroken { handle(.lingered, worker) }
        return
      case .failed: return handle(.lingered, worker)
      }
    }
    worker.deferred.append(token)
  }

  /// Passes a reset on to whoever is still there.
  func closeWithReset(_ worker: Worker) {
    upstream?.close(reset: true, worker.poller)
    client.close(reset: true, worker.poller)
    close(worker)
  }

  /// Gives everything back. Nothing can reach this connection any more.
  func close(_ worker: Worker) {
    hangUp(worker.poller)
    session = nil
    relay = nil
    toClient.clear()
    toUpstream.clear()
    savedInbound.clear()
    guard worker.connections.remove(token) != nil else { return }
    listener.admission.leave()
    worker.environment.admission.leave()
  }

  /// Closes both sockets, and tells nobody.
  func hangUp(_ poller: Poller) {
    upstream?.close(reset: false, poller)
    client.close(reset: false, poller)
  }

  // MARK: Ciphertext on its way to the client

  /// Sends what OpenSSL wrote, behind what waits already.
  func flushRecords(_ worker: Worker) {
    let written = unsafe worker.buffers.outbound
    guard unsafe !written.isEmpty else { return }
    var sent = 0
    if toClient.isEmpty, client.isWritable {
      if case .bytes(let count) = unsafe client.send(written) { sent = count }
    }
    unsafe toClient.append(UnsafeRawBufferPointer(rebasing: written[sent...]))
    worker.buffers.clearOutbound()
  }

  /// Sends what waits. A failure shows itself at the next receive.
  func flushToClient(_ worker: Worker) {
    while !toClient.isEmpty, client.isWritable {
      unsafe toClient.take { bytes in
        if case .bytes(let count) = unsafe client.send(bytes) { return count }
        client.isWritable = false
        return 0
      }
    }
    if toClient.isEmpty, clientEndsAfterFlush {
      clientEndsAfterFlush = false
      client.shutdownSending()
    }
  }

  // MARK: Ciphertext from the client

  /// Puts ciphertext that was kept from before into the worker's buffer.
  func loadInbound(_ worker: Worker) {
    guard !savedInbound.isEmpty else { return }
    unsafe savedInbound.take { bytes in
      unsafe worker.buffers.loadInbound(bytes)
      return bytes.count
    }
  }

  /// Keeps what OpenSSL did not take: the buffer belongs to the next connection.
  func saveInbound(_ worker: Worker) {
    unsafe savedInbound.append(worker.buffers.inboundUnread)
    worker.buffers.clearInbound()
  }
}
