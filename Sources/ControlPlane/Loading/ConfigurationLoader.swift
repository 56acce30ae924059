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
    let identity = isServed ? reading.identity(listener.tls.identity) : nil
    let clientCA = reading.bundles(listener.tls.clientCA)
    let clientCRLs = reading.revocationLists(listener.tls.revocation.files)
    var hosts: [HostMaterial] = []
    for host in listener.tls.hosts {
      if let material = material(of: host) { hosts.append(material) }
    }
    guard let clientCA, let clientCRLs, identity != nil || !isServed, hosts.count == listener.tls.hosts.count
    else { return nil }
    return TLSMaterial(identity: identity, clientCA: clientCA, clientCRLs: clientCRLs, hosts: hosts)
  }

  private mutating func material(of host: HostTLS) -> HostMaterial? {
    let files = isServed ? host.identity : nil
    let identity = files.map { reading.identity($0) }
    let clientCA = host.clientCA.map { reading.bundles($0) }
    guard identity == nil || identity.flatMap({ $0 }) != nil,
      clientCA == nil || clientCA.flatMap({ $0 }) != nil
    else { return nil }
    return HostMaterial(identity: identity ?? nil, clientCA: clientCA ?? nil)
  }

  private mutating func material(of tls: UpstreamTLS) -> UpstreamTLSMaterial? {
    let ca = reading.content(tls.ca)
    guard let files = tls.identity else { return ca.map { UpstreamTLSMaterial(ca: $0) } }
    let identity = reading.identity(files)
    guard let ca, let identity else { return nil }
    return UpstreamTLSMaterial(ca: ca, identity: identity)
  }
}
