import AccessPolicy
import GatewayConfiguration
import TLSEngine

/// Certificates, keys, passphrases and bundles.
extension FileReading {
  /// A bundle of trust anchors has a few hundred KiB at most.
  private static let longestPEM = 4 << 20
  /// A CRL of a million entries has 40 to 60 MB in DER, and a third more in PEM.
  private static let longestCRL = 256 << 20
  /// OpenSSL takes no longer one (PEM_BUFSIZE).
  private static let longestPassphrase = 1024

  /// - Returns: nil where a file cannot be read or used.
  mutating func identity(_ files: IdentityFiles) -> IdentityOptions? {
    let passphrase = files.passphrase.map { self.passphrase($0) }
    let responses = files.ocspResponses.map { content($0) }
    var identity: IdentityOptions?
    switch files.source {
    case .pem(let certificates, let keys):
      let chains = certificates.map { content($0) }
      let read = keys.map { key($0, "private key") }
      if let chains = Self.all(chains), let read = Self.all(read) {
        identity = IdentityOptions(certificates: chains, privateKeys: read, passphrase: passphrase ?? nil)
      }
    case .pkcs12(let file):
      identity = key(file, "PKCS #12 file").map { IdentityOptions(pkcs12: $0, passphrase: passphrase ?? nil) }
    }
    guard let responses = Self.all(responses), passphrase == nil || passphrase.flatMap({ $0 }) != nil else {
      return nil
    }
    identity?.ocspResponses = responses
    return identity
  }

  mutating func bundles(_ files: [ClientCAFile]) -> [TrustBundleFile]? {
    Self.all(
      files.map { entry in content(entry.file).map { TrustBundleFile(label: entry.label?.value, pem: $0) } })
  }

  mutating func revocationLists(_ files: [Located<String>]) -> [[UInt8]]? {
    Self.all(files.map { contents($0, limit: Self.longestCRL)?.bytes })
  }

  /// - Returns: the contents of a file that must not be empty.
  mutating func content(_ path: Located<String>) -> [UInt8]? { contents(path)?.bytes }

  private mutating func contents(_ path: Located<String>, limit: Int = longestPEM) -> FileContents? {
    guard let contents = file(path.value, namedAt: path.location, limit: limit) else { return nil }
    guard !contents.bytes.isEmpty else {
      report(FileProblem(code: "empty", message: "\(path.value) is empty"), at: path.location)
      return nil
    }
    return contents
  }

  private mutating func key(_ path: Located<String>, _ what: String) -> [UInt8]? {
    guard let contents = contents(path) else { return nil }
    checkPermissions(of: path, what, contents.mode)
    return contents.bytes
  }

  /// Reads a passphrase, which is never among ``files``: people choose words, and the hash of a word, which the
  /// log would tell, is soon turned back into it.
  private mutating func passphrase(_ path: Located<String>) -> [UInt8]? {
    guard let contents = secret(path, limit: Self.longestPassphrase) else { return nil }
    checkPermissions(of: path, "passphrase file", contents.mode)
    var bytes = contents.bytes
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    guard !bytes.isEmpty, !bytes.contains(where: { $0 == 0 || $0 == UInt8(ascii: "\n") }) else {
      report(
        FileProblem(
          code: "passphrase-malformed",
          message: bytes.isEmpty
            ? "\(path.value) is empty" : "\(path.value) holds more than one line",
          hint: "a passphrase file holds the passphrase alone, in one line"),
        at: path.location)
      return nil
    }
    return bytes
  }

  private static func all<Value>(_ values: [Value?]) -> [Value]? {
    let found = values.compactMap { $0 }
    return found.count == values.count ? found : nil
  }
}
