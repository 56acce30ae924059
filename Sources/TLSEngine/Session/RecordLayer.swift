import COpenSSL

/// Application data through an SSL object whose BIO is ours; for both sides of a connection.
@safe
struct RecordLayer: ~Copyable {
  /// `SSL`; owned.
  let ssl: OpaquePointer
  let buffers: RecordBuffers

  /// What a write may add to the data: header, explicit nonce, tag and type of its record (RFC 5246 §6.2,
  /// RFC 8446 §5.2), and a KeyUpdate that goes before it.
  static let overhead = 256
  /// Bytes of data that a record can hold (RFC 8446 §5.1).
  static let largestRecord = 16_384
  /// Bytes of data that a record of ours holds at most.
  private let recordSize: Int

  /// - Parameter context: `SSL_CTX`; the SSL object takes a reference.
  init(_ context: OpaquePointer, buffers: RecordBuffers, recordSize: Int = largestRecord) throws(TLSError) {
    ERR_clear_error()
    guard let ssl = unsafe SSL_new(context) else { throw TLSError(message: "SSL_new failed") }
    guard let bio = unsafe RecordBIO.make(over: buffers) else {
      unsafe SSL_free(ssl)
      throw TLSError(message: "BIO_new failed")
    }
    // SSL_set_bio(3): given the same BIO twice, it takes one reference.
    unsafe SSL_set_bio(ssl, bio, bio)
    unsafe self.ssl = ssl
    self.buffers = buffers
    self.recordSize = min(max(1, recordSize), Self.largestRecord)
  }

  deinit { unsafe SSL_free(ssl) }

  enum Progress { case done, blocked, failed([OpenSSLError]) }

  func handshake() -> Progress {
    ERR_clear_error()
    let result = unsafe SSL_do_handshake(ssl)
    if result == 1 { return .done }
    switch unsafe SSL_get_error(ssl, result) {
    case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .blocked
    default: return .failed(OpenSSLErrors.drain())
    }
  }

  /// At most one record a call. `nil` says that a record without data was taken and more may be there.
  /// - Parameter errors: OpenSSL's own, where it failed.
  func read(into target: UnsafeMutableRawBufferPointer, errors: inout [OpenSSLError]) -> ReadStep? {
    guard target.count > 0 else { return .wouldBlock }
    let unread = unsafe buffers.inboundUnread.count
    ERR_clear_error()
    let count = unsafe SSL_read(ssl, target.baseAddress, Int32(clamping: target.count))
    if count > 0 { return .bytes(Int(count)) }
    switch unsafe SSL_get_error(ssl, count) {
    // Only a call that took something is worth another one: this loop ends whatever OpenSSL does.
    case SSL_ERROR_WANT_READ:
      let left = unsafe buffers.inboundUnread.count
      return left == 0 || left == unread ? .wouldBlock : nil
    case SSL_ERROR_WANT_WRITE: return .wouldBlock
    case SSL_ERROR_ZERO_RETURN: return .closeNotify
    default:
      errors = OpenSSLErrors.drain()
      return .failed(OpenSSLErrors.sentence(errors))
    }
  }

  /// Writes record after record while a whole one has room: one that does not fit would stay in OpenSSL's own
  /// buffer, and the same bytes would have to be offered again.
  func write(_ source: UnsafeRawBufferPointer) -> WriteStep {
    var taken = 0
    while taken < source.count {
      let room = buffers.outboundRoom - Self.overhead
      guard room > 0, let start = source.baseAddress else { break }
      let length = min(source.count - taken, recordSize, room)
      ERR_clear_error()
      let count = unsafe SSL_write(ssl, start + taken, Int32(clamping: length))
      guard count > 0 else {
        switch unsafe SSL_get_error(ssl, count) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return taken > 0 ? .bytes(taken) : .wouldBlock
        default:
          // What was taken before is in outbound and may be sent; the failure comes back with the next call.
          let errors = OpenSSLErrors.drain()
          return taken > 0 ? .bytes(taken) : .failed(OpenSSLErrors.sentence(errors))
        }
      }
      taken += Int(count)
    }
    return unsafe taken > 0 || source.isEmpty ? .bytes(taken) : .wouldBlock
  }

  /// Ends our direction. SSL_shutdown(3) must not be called after a fatal error, and says so in the queue.
  func sendCloseNotify() {
    guard unsafe SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN == 0 else { return }
    ERR_clear_error()
    _ = unsafe SSL_shutdown(ssl)
    ERR_clear_error()
  }
}
