/// Why a certificate, a key or a trust bundle cannot be used: fit to be shown beside the file it came from.
package struct TLSConfigurationError: Error, Hashable, Sendable {
  /// Which of the inputs is at fault.
  package enum Subject: String, Sendable {
    case certificate, privateKey = "private_key", passphrase = "private_key_passphrase", pkcs12
    case ocspResponse = "ocsp_response", clientCA = "client_ca", clientCRL = "client_crl"
    case serverName = "server_name", alpn, library
  }

  /// Which of the inputs it is.
  package var subject: Subject
  /// A stable name for programs, such as `key-mismatch`.
  package var code: String
  /// What was found and what was expected, without a full stop.
  package var message: String
  /// What to do, where that can be said.
  package var hint: String?
  /// Which of several files of the subject, from 0.
  package var file = 0
  /// Which entry of `hosts`, from 0; nil stands for the listener itself, or an upstream.
  package var host: Int?

  init(_ subject: Subject, _ code: String, _ message: String, hint: String? = nil, file: Int = 0) {
    self.subject = subject
    self.code = code
    self.message = message
    self.hint = hint
    self.file = file
  }

  func of(file: Int) -> TLSConfigurationError {
    var error = self
    error.file = file
    return error
  }

  func of(host: Int?) -> TLSConfigurationError {
    var error = self
    error.host = host
    return error
  }
}

/// Something about a usable certificate, key or bundle that its owner should know: a warning.
package struct TLSConfigurationFinding: Hashable, Sendable {
  /// Which of the inputs it is about.
  package var subject: TLSConfigurationError.Subject
  /// A stable name for programs, such as `certificate-expired`.
  package var code: String
  /// What was found, without a full stop.
  package var message: String
  /// What to do, where that can be said.
  package var hint: String?
  /// Which of several files of the subject, from 0.
  package var file = 0
  /// Which entry of `hosts`, from 0; nil stands for the listener itself, or an upstream.
  package var host: Int?

  init(
    _ subject: TLSConfigurationError.Subject, _ code: String, _ message: String, hint: String? = nil,
    file: Int = 0
  ) {
    self.subject = subject
    self.code = code
    self.message = message
    self.hint = hint
    self.file = file
  }
}
