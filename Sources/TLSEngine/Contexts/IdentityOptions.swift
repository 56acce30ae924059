/// What a server or a client shows of itself, as it stands in files: one certificate for each type of key.
package struct IdentityOptions: Hashable, Sendable {
  /// PEM files, each with one chain: the leaf first, then its intermediates.
  package var certificates: [[UInt8]]
  /// PEM files with the keys of the leaves, in any order.
  package var privateKeys: [[UInt8]]
  /// A PKCS #12 file with one chain and its key, in place of both.
  package var pkcs12: [UInt8]?
  /// What keys or the PKCS #12 file are encrypted with.
  package var passphrase: [UInt8]?
  /// OCSP responses (DER) for the leaves, in any order.
  package var ocspResponses: [[UInt8]]

  /// Certificates and keys as PEM.
  package init(
    certificates: [[UInt8]], privateKeys: [[UInt8]], passphrase: [UInt8]? = nil,
    ocspResponses: [[UInt8]] = []
  ) {
    self.certificates = certificates
    self.privateKeys = privateKeys
    self.passphrase = passphrase
    self.ocspResponses = ocspResponses
  }

  /// A certificate and its key as PKCS #12.
  package init(pkcs12: [UInt8], passphrase: [UInt8]?, ocspResponses: [[UInt8]] = []) {
    self.init(certificates: [], privateKeys: [], passphrase: passphrase, ocspResponses: ocspResponses)
    self.pkcs12 = pkcs12
  }

  /// Names what is shown to others.
  var version: [UInt8] {
    let parts = certificates + [pkcs12 ?? []]
    return SHA256.hash(parts.flatMap { SHA256.hash($0) })
  }
}

// A print, a log line or a test's failure must not show a key or a passphrase.
extension IdentityOptions: CustomStringConvertible, CustomReflectable {
  package var description: String { "certificates and private keys" }
  package var customMirror: Mirror { Mirror(self, children: [:]) }
}
