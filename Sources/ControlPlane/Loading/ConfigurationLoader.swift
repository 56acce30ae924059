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
    let attempt = attempt(path: path, isServed: isServed)
    return (attempt.configuration, attempt.diagnostics)
  }

  /// As ``load(path:isServed:)``, with what was looked at, however it came out.
  /// - Parameter isRunning: whether the audit log is left alone, because a gateway writes it: this one.
  static func attempt(path: String, isServed: Bool = true, isRunning: Bool = false) -> LoadingAttempt {
    var run = LoadingRun(isServed: isServed, isRunning: isRunning)
    let loaded = run.load(path)
    return LoadingAttempt(
      configuration: run.hasErrors ? nil : loaded,
      diagnostics: run.diagnostics.sorted { $0.location < $1.location }, files: run.files, trace: run.trace)
  }
}

/// What came of reading a configuration.
struct LoadingAttempt: Sendable {
  /// nil where a finding is an error.
  var configuration: LoadedConfiguration?
  var diagnostics: [Diagnostic]
  /// Every file that could be read.
  var files: [LoadedFile]
  var trace: FileTrace
}

/// One pass over the files of one configuration.
private struct LoadingRun {
  /// A bundle of trust anchors has a few hundred KiB at most.
  static let longestPEM = 4 << 20

  private let isServed: Bool
  private let isRunning: Bool
  private var reading = FileReading()
  var diagnostics: [Diagnostic] { reading.diagnostics }
  var hasErrors: Bool { reading.hasErrors }

  var files: [LoadedFile] { reading.files }
  var trace: FileTrace { reading.trace }

  init(isServed: Bool, isRunning: Bool) {
    self.isServed = isServed
    self.isRunning = isRunning
  }

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
      if !isRunning { reading.checkAuditLog(draft.audit, key: auditKey) }
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
    guard isServed else {
      return pem(listener.tls.clientCA).map {
        TLSMaterial(certificate: [], privateKey: [], clientCA: $0.bytes)
      }
    }
    let certificate = pem(listener.tls.certificate)
    let key = pem(listener.tls.privateKey)
    let authority = pem(listener.tls.clientCA)
    if let key { reading.checkPermissions(of: listener.tls.privateKey, "private key", key.mode) }
    guard let certificate, let key, let authority else { return nil }
    return TLSMaterial(
      certificate: certificate.bytes, privateKey: key.bytes, clientCA: authority.bytes)
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

  private mutating func pem(_ path: Located<String>) -> FileContents? {
    guard let contents = reading.file(path.value, namedAt: path.location, limit: Self.longestPEM) else {
      return nil
    }
    guard !contents.bytes.isEmpty else {
      reading.report(FileProblem(code: "empty", message: "\(path.value) is empty"), at: path.location)
      return nil
    }
    return contents
  }
}
