import COpenSSL

/// One entry of OpenSSL's error queue.
struct OpenSSLError: Equatable {
  var library: Int32
  var reason: Int32
  /// OpenSSL's sentence, such as `no shared cipher`.
  var text: String

  var isSSL: Bool { library == ERR_LIB_SSL }

  /// The alert that the peer sent, if that is what the error says.
  var receivedAlert: Int32? {
    isSSL && reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256
      ? reason - SSL_AD_REASON_OFFSET : nil
  }

  /// The symbol of sslerr.h. OpenSSL's sentences are its symbols in lower case, save for the alerts of
  /// SSL 3.0, which newer releases print as `ssl/tls alert`.
  var symbol: String? {
    guard isSSL else { return nil }
    let sentence = text.hasPrefix("ssl/tls ") ? "sslv3 " + text.dropFirst(8) : text
    return "SSL_R_" + sentence.uppercased().map { $0 == " " || $0 == "-" ? "_" : String($0) }.joined()
  }
}

/// The error queue of this thread.
enum OpenSSLErrors {
  /// Empties the queue, oldest first.
  static func drain() -> [OpenSSLError] {
    var errors: [OpenSSLError] = []
    while true {
      let code = ERR_get_error()
      guard code != 0 else { return errors }
      let text = unsafe ERR_reason_error_string(code).map { unsafe String(cString: $0) }
      errors.append(
        OpenSSLError(
          library: ERR_GET_LIB(code), reason: ERR_GET_REASON(code), text: text ?? "error \(code)"))
    }
  }

  /// The first of TLS itself says most: what other libraries said before it are causes of that, and 3.5 puts
  /// a mere "record layer failure" behind it.
  static func sentence(_ errors: [OpenSSLError]) -> String {
    (errors.first(where: \.isSSL) ?? errors.first)?.text ?? "no reason was given"
  }
}
