import AccessPolicy
import ArgumentParser
import ControlPlane
import DataPlane
import GatewayConfiguration
import TLSEngine
import Workbench

/// `countersign explain`: what would become of a connection, and why; or why a recorded one came out so.
struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Says what becomes of a certificate at a listener, and why.",
    discussion: "Verifies the chain as the listener does, names the caller, asks every rule. With --audit "
      + "and --id the same for a connection of an audit log. Exits with 0 if it is allowed, with 1 if it is "
      + "denied, and with 2 if that cannot be told.")

  @Option(name: .long, help: "The configuration file.", completion: .file(extensions: ["yaml", "yml"]))
  var config: String

  @Option(
    name: .long, help: "The listener that the client connects to.", completion: ListenerNames.completion)
  var listener: String?

  @Option(
    name: .long, help: "The client's chain as PEM, its own certificate first.",
    completion: .file(extensions: ["pem", "crt", "cer"]))
  var certificate: String?

  @Option(name: .long, help: "The host name that the client asks for.")
  var serverName: String?

  @Option(name: .long, help: "The address that the client comes from.")
  var sourceIp: String?

  @Option(
    name: .customLong("set"),
    help: "FIELD=VALUE: what no certificate says, such as postgres_user=orders_ro. Several values add up.",
    completion: .list(GivenFacts.fields.map { "\($0.name)=" }))
  var assignments: [String] = []

  @Option(name: .long, help: "The moment to judge for, as RFC 3339 writes it. Now, or when it was recorded.")
  var at: String?

  @Option(name: .long, help: "An audit log, in place of a listener and a certificate.", completion: .file())
  var audit: String?

  @Option(name: .long, help: "The event.id or countersign.connection.id of the recorded connection.")
  var id: String?

  @Option(name: .long, help: "text or json.")
  var format: ReportFormat = .text

  func validate() throws {
    if audit != nil || id != nil {
      guard audit != nil, id != nil else { throw ValidationError("--audit and --id belong together") }
      guard listener == nil, certificate == nil, serverName == nil, sourceIp == nil, assignments.isEmpty
      else {
        throw ValidationError(
          "a recorded connection has its facts from the log: leave out --listener, --certificate, "
            + "--server-name, --source-ip and --set")
      }
    } else if listener == nil || certificate == nil {
      throw ValidationError(
        "give --listener and --certificate, or --audit and --id for a connection of an audit log")
    }
    _ = try moment()
  }

  func run() throws {
    // Neither audit nor admin is opened, and no private key is read.
    let (loaded, findings) = ConfigurationLoader.load(path: config, isServed: false)
    guard let loaded else {
      try FindingsReport(findings).print(asJSON: format == .json)
      throw ExitCode(2)
    }
    let report =
      if let audit, let id { try explain(recorded: id, in: audit, loaded) } else { try explainChain(loaded) }
    print(format == .json ? try report.json() : report.text, terminator: "")
    switch report.outcome {
    case .allow: return
    case .deny: throw ExitCode(1)
    case .undecidable: throw ExitCode(2)
    }
  }

  /// `--at` in whole seconds, as certificates count time.
  private func moment() throws -> Timestamp? {
    guard let at else { return nil }
    guard let instant = Timestamp(rfc3339: at) else {
      throw ValidationError("--at \(at): expected a time such as 2027-01-31T00:00:00Z")
    }
    return Timestamp(seconds: instant.seconds)
  }

  private func explainChain(_ loaded: LoadedConfiguration) throws -> ExplanationReport {
    let names = loaded.configuration.listeners.map(\.name.value)
    guard let name = listener, let position = names.firstIndex(of: name) else {
      let wanted = listener ?? ""
      let hint =
        NearestWord.find(wanted, among: names).map { "did you mean '\($0)'?" }
        ?? "listeners are: \(names.joined(separator: ", "))"
      throw ValidationError("--listener \(wanted): no listener is called so; \(hint)")
    }
    var client = ClientOfListener(loaded.configuration.listeners[position])
    try client.give(serverName: serverName, sourceIP: sourceIp, assignments: assignments)
    return try ChainExplanation(loaded, position: position, client: client)
      .report(chainFile: certificate ?? "", at: moment() ?? Timestamp(seconds: Clock.system.wall().seconds))
  }

  private func explain(
    recorded id: String, in log: String, _ loaded: LoadedConfiguration
  ) throws -> ExplanationReport {
    let recorded = try RecordedConnection.find(id, in: log)
    let at = try moment() ?? recorded.time
    return ExplanationReport(
      at: at, verification: recorded.verification, facts: recorded.facts,
      explanation: recorded.decision == nil ? nil : loaded.policy.explain(recorded.facts, at: at),
      documents: loaded.documents, recorded: recorded)
  }
}

/// What a command cannot go on without.
enum CannotGoOn {
  /// Tells the person who called, and ends with 2.
  static func because(_ message: String) -> ExitCode {
    Console.error("error: \(message)")
    return ExitCode(2)
  }
}
