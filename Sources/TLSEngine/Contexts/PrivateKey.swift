import COpenSSL

/// A private key of our own.
@safe
final class PrivateKey: @unchecked Sendable {
  // Sendable: never changed after it was read.
  /// `EVP_PKEY`; owned.
  let pointer: OpaquePointer

  /// Takes over one reference.
  init(owning pointer: OpaquePointer) { unsafe self.pointer = pointer }

  deinit { unsafe EVP_PKEY_free(pointer) }

  /// `ec`, `rsa`, …: OpenSSL holds one certificate for each.
  var type: String { unsafe PublicKeyFacts.describe(key: pointer)?.type ?? "unknown" }

  /// Whether the certificate was issued for this key.
  func belongs(to certificate: Certificate) -> Bool {
    defer { ERR_clear_error() }
    return unsafe X509_check_private_key(certificate.pointer, pointer) == 1
  }

  /// - Parameters:
  ///   - pem: PKCS #8, or what older tools write, encrypted or not.
  ///   - passphrase: what it is encrypted with.
  convenience init(pem: [UInt8], passphrase: [UInt8]?) throws(TLSConfigurationError) {
    var answer = PassphraseAnswer(passphrase: passphrase)
    ERR_clear_error()
    let key = unsafe withMemoryBIO(pem) { bio in
      unsafe withUnsafeMutablePointer(to: &answer) {
        unsafe PEM_read_bio_PrivateKey(bio, nil, answerPassphrase, $0)
      }
    }
    let errors = OpenSSLErrors.drain()
    guard let key = unsafe key else { throw Self.problem(pem, answer, errors) }
    unsafe self.init(owning: key)
  }

  private static func problem(
    _ pem: [UInt8], _ answer: PassphraseAnswer, _ errors: [OpenSSLError]
  ) -> TLSConfigurationError {
    if answer.wasAsked { return encrypted(answer, errors) }
    let blocks = PEMReader.blocks(pem) ?? []
    guard blocks.contains(where: \.isPrivateKey) else {
      return TLSConfigurationError(
        .privateKey, "no-key", "no PEM private key was found",
        hint: blocks.contains(where: \.isCertificate)
          ? "the file holds a certificate: are certificate and private_key swapped?"
          : "openssl pkey -inform DER -in FILE -out server.key turns DER into PEM")
    }
    return TLSConfigurationError(
      .privateKey, "key-malformed", "the private key cannot be parsed: \(OpenSSLErrors.sentence(errors))")
  }

  private static func encrypted(
    _ answer: PassphraseAnswer, _ errors: [OpenSSLError]
  ) -> TLSConfigurationError {
    guard answer.passphrase != nil else {
      return TLSConfigurationError(
        .privateKey, "key-encrypted",
        "the private key is encrypted, and nobody can be asked for its passphrase",
        hint: "name a file with the passphrase in private_key_passphrase, or decrypt the key with "
          + "openssl pkey -in FILE -out server.key, and keep that readable for the gateway only")
    }
    if errors.contains(where: \.isUnsupported) {
      return TLSConfigurationError(
        .privateKey, "key-unsupported", "the private key is encrypted with an algorithm of former times",
        hint:
          "encrypt it anew: openssl pkey -provider legacy -provider default -in FILE -aes256 -out server.key")
    }
    return TLSConfigurationError(
      .passphrase, "passphrase-wrong", "the passphrase does not decrypt the private key")
  }
}

extension OpenSSLError {
  /// An algorithm that no provider in use has.
  var isUnsupported: Bool { text.hasPrefix("unsupported") || text.hasPrefix("unknown pbe") }
}

/// What OpenSSL is told when it asks for a passphrase.
struct PassphraseAnswer {
  let passphrase: [UInt8]?
  var wasAsked = false
}

/// OpenSSL's default asks on the terminal, and a gateway has nobody sitting there.
/// - Parameter answer: a ``PassphraseAnswer``; without one there is no answer.
func answerPassphrase(
  _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _ writing: Int32, _ answer: UnsafeMutableRawPointer?
) -> Int32 {
  guard let answer = unsafe answer?.assumingMemoryBound(to: PassphraseAnswer.self), let buffer = unsafe buffer
  else { return -1 }
  unsafe answer.pointee.wasAsked = true
  guard let passphrase = unsafe answer.pointee.passphrase, let length = Int32(exactly: passphrase.count),
    length > 0, length <= size
  else { return -1 }
  for (index, byte) in passphrase.enumerated() { unsafe buffer[index] = CChar(bitPattern: byte) }
  return length
}
