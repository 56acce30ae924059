import AccessPolicy
import EventLoop

extension Connection {
  /// Reads along while the server lets the client in, for the pair that cancels its queries.
  func watchUpstream(_ bytes: UnsafeRawBufferPointer, _ worker: Worker) {
    unsafe watch?.scan(Span<UInt8>(_unsafeBytes: bytes))
    guard watch?.outcome != .scanning else { return }
    if let key = watch?.key, let decision, let target = dial?.target {
      worker.environment.postgresSessions.add(
        .init(connectionID: id, listener: terms.name, decision: decision, target: target),
        key: key)
      cancelKey = key
    }
    watch = nil
  }

  /// The server has not begun to speak, or waits for the client.
  var isPostgresBetweenMessages: Bool {
    if relay?.bytesFromUpstream ?? 0 == 0 { return true }
    return client.unsent.isEmpty && serverTail?.isReadyForQuery == true
  }

  /// Nobody can cancel queries of this connection any more.
  func forgetCancelKey(_ worker: Worker) {
    guard let key = cancelKey else { return }
    worker.environment.postgresSessions.remove(connectionID: id, key: key)
    cancelKey = nil
  }
}
