package import AccessPolicy
internal import GatewayConfiguration

/// Reads a configuration and everything that it names, from the file system, once.
package enum ConfigurationLoader {
  /// - Parameter path: the configuration file.
  /// - Returns: what can be run if there is no error among the diagnostics, which are in the order of file,
  ///   line and column. A configuration with errors is followed as far as it can be read, so that one run
  ///   shows as much as possible.
  /// - Parameter withIdentities: whether the listeners' own certificates and keys are read, too. Who only asks
  ///   what would become of a client needs none of them, and may not be allowed to read keys.
  package static func load(
    path: String, withIdentities: Bool = true
  ) -> (configuration: LoadedConfiguration?, diagnostics: [Diagnostic]) {
    var run = LoadingRun(withIdentities: withIdentities)
    let loaded = run.load(path)
    return (run.hasErrors ? nil : loaded, run.diagnostics.sorted { $0.location < $1.location })
  }
}

/// One pass over the files of one configuration.
private struct LoadingRun {
  /// A bundle of trust anchors has a few hundred KiB at most.
  static let longestPEM = 4 << 20

  private let withIdentities: Bool
  private var reading = FileReading()
  var diagnostics: [Diagnostic] { reading.diagnostics }
  var hasErrors: Bool { reading.hasErrors }

  init(withIdentities: Bool) { self.withIdentities = withIdentities }

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
    let (documents, isComplete) = reading.documents(draft.policies)
    let (policy, problems) = Policy.compile(documents, listeners: draft.listeners.map(\.name.value))
    // With listeners or documents missing, the compiler reports references that are not broken.
    reading.diagnostics += problems.filter {
      isComplete && namesAreKnown || !Self.references.contains($0.code)
    }
    guard isComplete, namesAreKnown, let policy, tls.count == draft.listeners.count else { return nil }
    return LoadedConfiguration(
      configuration: draft, policy: policy, documents: documents, files: reading.files, tls: tls)
  }

  /// Findings about what stands elsewhere, or is not there: in a draft it may only be unread.
  private static let references: Set<String> = [
    "unknown-listener", "unknown-group", "undefined-capture", "empty-match", "empty-condition",
  ]

  private mutating func material(of listener: Listener) -> TLSMaterial? {
    guard withIdentities else {
      return pem(listener.tls.clientCA).map {
        TLSMaterial(certificate: [], privateKey: [], clientCA: $0.bytes)
      }
    }
    let certificate = pem(listener.tls.certificate)
    let key = pem(listener.tls.privateKey)
    let authority = pem(listener.tls.clientCA)
    if let key { checkPermissions(of: listener.tls.privateKey, key.mode) }
    guard let certificate, let key, let authority else { return nil }
    return TLSMaterial(
      certificate: certificate.bytes, privateKey: key.bytes, clientCA: authority.bytes)
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

  /// Who may read the key may be the gateway; who may write it chooses who the gateway is.
  private mutating func checkPermissions(of key: Located<String>, _ mode: UInt32) {
    let faults = [
      (UInt32(0o004), "read by everyone"), (0o002, "written by everyone"), (0o020, "written by its group"),
    ].filter { mode & $0.0 != 0 }.map(\.1)
    if faults.isEmpty { return }
    let kept = mode & 0o750
    reading.report(
      FileProblem(
        code: "insecure-permissions",
        message: "the private key \(key.value) can be \(faults.joined(separator: " and ")) "
          + "(mode \(Self.octal(mode)))",
        hint: "chmod \(Self.octal(kept & ~0o020)) \(key.value)"),
      at: key.location)
  }

  private static func octal(_ mode: UInt32) -> String {
    let digits = String(mode, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }
}
