package import AccessPolicy
internal import GatewayConfiguration

/// Reads a configuration and everything that it names, from the file system, once.
package enum ConfigurationLoader {
  /// - Parameter path: the configuration file.
  /// - Returns: what can be run if there is no error among the diagnostics, which are in the order of file,
  ///   line and column. A configuration with errors is followed as far as it can be read, so that one run
  ///   shows as much as possible.
  /// - Parameter isServed: whether the listeners' own certificates and keys and the audit key are read, too, and
  ///   the audit log is looked at. Who only asks what would become of a client needs none of them, and may not
  ///   be allowed to read keys.
  package static func load(
    path: String, isServed: Bool = true
  ) -> (configuration: LoadedConfiguration?, diagnostics: [Diagnostic]) {
    var run = LoadingRun(isServed: isServed)
    let loaded = run.load(path)
    return (run.hasErrors ? nil : loaded, run.diagnostics.sorted { $0.location < $1.location })
  }
}

/// One pass over the files of one configuration.
private struct LoadingRun {
  /// A bundle of trust anchors has a few hundred KiB at most.
  static let longestPEM = 4 << 20
  /// A CRL of a million entries has 40 to 60 MB in DER, and a third more in PEM.
  static let longestCRL = 256 << 20

  private let isServed: Bool
  private var reading = FileReading()
  var diagnostics: [Diagnostic] { reading.diagnostics }
  var hasErrors: Bool { reading.hasErrors }

  init(isServed: Bool) { self.isServed = isServed }

  mutating func load(_ path: String) -> LoadedConfiguration? {
    guard
      let text = reading.file(path, namedAt: SourceLocation(file: path), limit: ConfigurationFiles.longest)
    else { return nil }
    let (draft, findings) = ConfigurationReader.draft(text.bytes, file: path)
    reading.diagnostics += findings
    guard let draft else { return nil }
    let namesAreKnown = !hasErrors
    var tls: [TLSMaterial] = []
    for listener in draft.listeners {
      if let material = material(of: listener) { tls.append(material) }
    }
    var upstreamTLS: [String: UpstreamTLSMaterial] = [:]
    for upstream in draft.upstreams {
      if let tls = upstream.tls { upstreamTLS[upstream.name.value] = material(of: tls) }
    }
    let (documents, isComplete) = reading.documents(draft.policies)
    var auditKey: AuditKey?
    if isServed {
      auditKey = draft.audit.key.flatMap { reading.auditKey($0) }
      reading.checkAuditLog(draft.audit, key: auditKey)
    }
    let (policy, problems) = Policy.compile(documents, listeners: draft.listeners.map(\.name.value))
    // With listeners or documents missing, the compiler reports references that are not broken.
    reading.diagnostics += problems.filter {
      isComplete && namesAreKnown || !Self.references.contains($0.code)
    }
    guard isComplete, namesAreKnown, let policy, tls.count == draft.listeners.count,
      upstreamTLS.count == draft.upstreams.count(where: { $0.tls != nil })
    else { return nil }
    return LoadedConfiguration(
      configuration: draft, policy: policy, documents: documents, files: reading.files, tls: tls,
      upstreamTLS: upstreamTLS, auditKey: auditKey)
  }

  /// Findings about what stands elsewhere, or is not there: in a draft it may only be unread.
  private static let references: Set<String> = [
    "unknown-listener", "unknown-group", "undefined-capture", "empty-match", "empty-condition",
  ]

  private mutating func material(of listener: Listener) -> TLSMaterial? {
    let crls = listener.tls.revocation.files.compactMap { file($0, limit: Self.longestCRL)?.bytes }
    let hasCRLs = crls.count == listener.tls.revocation.files.count
    guard isServed else {
      guard let authority = pem(listener.tls.clientCA), hasCRLs else { return nil }
      return TLSMaterial(certificate: [], privateKey: [], clientCA: authority.bytes, clientCRLs: crls)
    }
    let certificate = pem(listener.tls.certificate)
    let key = pem(listener.tls.privateKey)
    let authority = pem(listener.tls.clientCA)
    if let key { reading.checkPermissions(of: listener.tls.privateKey, "private key", key.mode) }
    guard let certificate, let key, let authority, hasCRLs else { return nil }
    return TLSMaterial(
      certificate: certificate.bytes, privateKey: key.bytes, clientCA: authority.bytes, clientCRLs: crls)
  }

  private mutating func material(of tls: UpstreamTLS) -> UpstreamTLSMaterial? {
    let ca = pem(tls.ca)
    guard let identity = tls.identity else { return ca.map { UpstreamTLSMaterial(ca: $0.bytes) } }
    let certificate = pem(identity.certificate)
    let key = pem(identity.privateKey)
    if let key { reading.checkPermissions(of: identity.privateKey, "private key", key.mode) }
    guard let ca, let certificate, let key else { return nil }
    return UpstreamTLSMaterial(ca: ca.bytes, certificate: certificate.bytes, privateKey: key.bytes)
  }

  private mutating func pem(_ path: Located<String>) -> FileContents? { file(path, limit: Self.longestPEM) }

  /// A file that is not empty.
  private mutating func file(_ path: Located<String>, limit: Int) -> FileContents? {
    guard let contents = reading.file(path.value, namedAt: path.location, limit: limit) else { return nil }
    guard !contents.bytes.isEmpty else {
      reading.report(FileProblem(code: "empty", message: "\(path.value) is empty"), at: path.location)
      return nil
    }
    return contents
  }
}
