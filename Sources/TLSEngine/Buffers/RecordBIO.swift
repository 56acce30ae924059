import COpenSSL

/// OpenSSL's view of ``RecordBuffers``: a source and sink that copies from and to the worker's buffers.
///
/// A socket BIO would cost a `read` per record header and body and a `write` per record; here one `recv`
/// fills the buffer with many records and one `send` empties it. It never reports an end of file: when a
/// stream ended is known to the owner of the socket, and truncation is his to judge (RFC 8446 §6.1).
enum RecordBIO {
  /// - Returns: a BIO with one reference, or nil where memory is short. It does not keep the buffers alive.
  static func make(over buffers: RecordBuffers) -> OpaquePointer? {
    guard let method = unsafe method.pointer, let bio = unsafe BIO_new(method) else { return nil }
    unsafe BIO_set_data(bio, buffers.state)
    unsafe BIO_set_init(bio, 1)
    return unsafe bio
  }

  /// Made once and never freed, as every live BIO points to it.
  @safe
  private struct Method: @unchecked Sendable {
    // Sendable: written before it is shared, then only read; OpenSSL takes it as const.
    let pointer: OpaquePointer?
  }

  private static let method: Method = {
    let type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
    guard let method = unsafe BIO_meth_new(type, "countersign records") else {
      return unsafe Method(pointer: nil)
    }
    unsafe BIO_meth_set_read(method, readRecords)
    unsafe BIO_meth_set_write(method, writeRecords)
    unsafe BIO_meth_set_ctrl(method, controlRecords)
    return unsafe Method(pointer: method)
  }()
}

private func state(of bio: OpaquePointer?) -> UnsafeMutablePointer<RecordBufferState>? {
  unsafe BIO_get_data(bio)?.assumingMemoryBound(to: RecordBufferState.self)
}

private func readRecords(
  _ bio: OpaquePointer?, _ target: UnsafeMutablePointer<CChar>?, _ length: Int32
) -> Int32 {
  guard let state = unsafe state(of: bio), let target = unsafe target, length > 0 else { return 0 }
  unsafe shim_BIO_clear_retry_flags(bio)
  let available = unsafe state.pointee.inboundEnd - state.pointee.inboundStart
  guard available > 0 else {
    unsafe shim_BIO_set_retry_read(bio)
    return -1
  }
  let count = min(available, Int(length))
  unsafe UnsafeMutableRawPointer(target)
    .copyMemory(from: state.pointee.inbound + state.pointee.inboundStart, byteCount: count)
  unsafe state.pointee.inboundStart += count
  return Int32(truncatingIfNeeded: count)
}

private func writeRecords(
  _ bio: OpaquePointer?, _ source: UnsafePointer<CChar>?, _ length: Int32
) -> Int32 {
  guard let state = unsafe state(of: bio), let source = unsafe source, length > 0 else { return 0 }
  unsafe shim_BIO_clear_retry_flags(bio)
  let room = unsafe state.pointee.outboundCapacity - state.pointee.outboundCount
  guard room > 0 else {
    unsafe shim_BIO_set_retry_write(bio)
    return -1
  }
  let count = min(room, Int(length))
  unsafe (state.pointee.outbound + state.pointee.outboundCount)
    .copyMemory(from: UnsafeRawPointer(source), byteCount: count)
  unsafe state.pointee.outboundCount += count
  return Int32(truncatingIfNeeded: count)
}

/// libssl asks for a flush after each flight and treats 0 as a failed write; everything else is optional
/// (BIO_ctrl(3)), and 0 says that it is not supported.
private func controlRecords(
  _ bio: OpaquePointer?, _ command: Int32, _ number: Int, _ pointer: UnsafeMutableRawPointer?
) -> Int {
  command == BIO_CTRL_FLUSH ? 1 : 0
}
