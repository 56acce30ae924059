/// The positions in the two buffers, in memory whose address never changes: the BIO's callbacks reach it
/// through a C pointer and touch no reference count.
@safe
struct RecordBufferState {
  let inbound: UnsafeMutableRawPointer
  let inboundCapacity: Int
  /// Unread ciphertext is `inboundStart ..< inboundEnd`.
  var inboundStart = 0
  var inboundEnd = 0
  let outbound: UnsafeMutableRawPointer
  let outboundCapacity: Int
  var outboundCount = 0
}

/// The ciphertext that a worker has received and has yet to send: one pair of buffers serves all sessions of
/// a worker, one after the other. Confined to that worker's thread.
///
/// Between two sessions the owner takes over what is left: ``inboundUnread`` is saved with the session it
/// belongs to and given back with ``loadInbound(_:)``, and ``outbound`` is sent or saved.
@safe
package final class RecordBuffers {
  let state: UnsafeMutablePointer<RecordBufferState>

  /// - Parameters:
  ///   - inboundCapacity: bytes; at least one.
  ///   - outboundCapacity: bytes; writes of application data need ``TLSSession/recordOverhead`` on top.
  package init(inboundCapacity: Int, outboundCapacity: Int) {
    let inbound = max(1, inboundCapacity)
    let outbound = max(1, outboundCapacity)
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(
      to: RecordBufferState(
        inbound: .allocate(byteCount: inbound, alignment: 16), inboundCapacity: inbound,
        outbound: .allocate(byteCount: outbound, alignment: 16), outboundCapacity: outbound))
  }

  deinit {
    unsafe state.pointee.inbound.deallocate()
    unsafe state.pointee.outbound.deallocate()
    unsafe state.deallocate()
  }

  /// The free room behind the unread ciphertext, which is moved to the front first.
  package var inboundSpace: UnsafeMutableRawBufferPointer {
    let unread = unsafe state.pointee.inboundEnd - state.pointee.inboundStart
    if unsafe state.pointee.inboundStart > 0 {
      unsafe state.pointee.inbound.copyMemory(
        from: state.pointee.inbound + state.pointee.inboundStart, byteCount: unread)
      unsafe state.pointee.inboundStart = 0
      unsafe state.pointee.inboundEnd = unread
    }
    return unsafe UnsafeMutableRawBufferPointer(
      start: state.pointee.inbound + unread, count: state.pointee.inboundCapacity - unread)
  }

  /// Says that `count` bytes were put at the start of ``inboundSpace``; more than fits is cut.
  package func received(_ count: Int) {
    let room = unsafe state.pointee.inboundCapacity - state.pointee.inboundEnd
    unsafe state.pointee.inboundEnd += max(0, min(count, room))
  }

  /// The ciphertext that OpenSSL has not taken yet; valid until the next call on the buffers or a session.
  package var inboundUnread: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(
      start: state.pointee.inbound + state.pointee.inboundStart,
      count: state.pointee.inboundEnd - state.pointee.inboundStart)
  }

  /// Puts ciphertext that was kept from before into the buffer, which must hold none.
  ///
  /// - Precondition: nothing is unread and `saved` fits: other bytes there would be another session's.
  package func loadInbound(_ saved: UnsafeRawBufferPointer) {
    unsafe precondition(state.pointee.inboundStart == state.pointee.inboundEnd, "inbound must be empty")
    unsafe precondition(saved.count <= state.pointee.inboundCapacity, "saved ciphertext must fit")
    unsafe state.pointee.inboundStart = 0
    unsafe state.pointee.inboundEnd = saved.count
    if let start = saved.baseAddress {
      unsafe state.pointee.inbound.copyMemory(from: start, byteCount: saved.count)
    }
  }

  /// Forgets the unread ciphertext, which its owner has saved or has no more use for.
  package func clearInbound() {
    unsafe state.pointee.inboundStart = 0
    unsafe state.pointee.inboundEnd = 0
  }

  /// The ciphertext that OpenSSL wrote; valid until the next call on the buffers or a session.
  package var outbound: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(start: state.pointee.outbound, count: state.pointee.outboundCount)
  }

  /// How many more bytes ``outbound`` can take.
  package var outboundRoom: Int {
    unsafe state.pointee.outboundCapacity - state.pointee.outboundCount
  }

  /// Forgets the outbound ciphertext, which its owner has sent or saved.
  package func clearOutbound() { unsafe state.pointee.outboundCount = 0 }
}

/// One pair of buffers belongs to one thread.
@available(*, unavailable)
extension RecordBuffers: Sendable {}
