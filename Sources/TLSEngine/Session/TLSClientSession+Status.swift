import COpenSSL

/// What a server tells of its own certificate's status (RFC 6066 §8).
extension TLSClientSession {
  /// Asks for an OCSP response; before the handshake.
  package func askForStatus() { unsafe shim_SSL_ask_for_ocsp(records.ssl) }

  /// The DER of the response that the server has stapled to its certificate; nil without one.
  package var stapled: [UInt8]? {
    var start: UnsafePointer<UInt8>?
    let length = unsafe shim_SSL_get_tlsext_status_ocsp_resp(records.ssl, &start)
    guard let start = unsafe start, length > 0 else { return nil }
    return unsafe [UInt8](UnsafeBufferPointer(start: start, count: length))
  }
}
