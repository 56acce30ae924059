import AccessPolicy
import ArgumentParser
import ControlPlane
import Workbench

/// `countersign suggest`: the least policy that allows what a log shows.
struct Suggest: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes the least policy that allows what audit logs show as allowed, and tests for it.",
    discussion: """
      Callers are matched by the strongest exact name in the certificate: the SPIFFE ID, else the one DNS name, \
      else subject and issuer, else the certificate's SHA-256. Rules name listener, and what a client of a \
      database says of itself. Exits with 0; with 1 if something that was seen as allowed is not allowed by the \
      suggestion; with 2 if a file cannot be read or written, or no connection was allowed.
      """)

  @Option(name: .long, help: "Keep the callers of these policy files or globs, and write rules alone.")
  var policies: [String] = []

  @Option(
    name: .long,
    help:
      "Fields that may vary, with commas between them: \(Suggestion.generalisable.map(\.name).joined(separator: ", "))."
  )
  var generalise: String?

  @Flag(
    name: .long,
    help: "Count connections as allowed, too, that were denied and that the shadow rules would allow.")
  var includeShadow = false

  @Option(name: .long, help: "Write policy.yaml and tests.yaml into this folder instead of standard output.")
  var output: String?

  @Argument(help: "Audit logs; - is standard input.", completion: .file())
  var audit: [String]

  func run() throws {
    var options = Suggestion.Options(generalised: try generalised(), includesShadow: includeShadow)
    if !policies.isEmpty { options.kept = try kept() }
    guard var suggestion = Suggestion(options) else { throw ExitCode(2) }
    do throws(AuditInput.Problem) {
      try AuditInput.read(audit, into: &suggestion)
    } catch {
      throw CannotGoOn.because(error.message)
    }
    Console.error(lines: suggestion.unreadable.text)
    guard !suggestion.isOverfull else {
      Console.error("too many different connections for a policy: say what may vary with --generalise")
      throw ExitCode(2)
    }
    let proposal = Proposal(suggestion)
    FindingsReport(proposal.diagnostics).printText()
    guard proposal.policy != nil else { throw ExitCode(2) }
    guard proposal.accesses > 0 else {
      Console.error(suggestion.shortage)
      throw ExitCode(2)
    }
    try write(proposal)
    for shortcoming in proposal.shortcomings {
      Console.error("not allowed by the suggestion: \(TerminalText.safe(shortcoming))")
    }
    if !proposal.shortcomings.isEmpty { throw ExitCode(1) }
  }

  private func generalised() throws -> Set<Field> {
    var fields: Set<Field> = []
    for name in (generalise ?? "").split(separator: ",") {
      guard let field = Field(name: String(name)), Suggestion.generalisable.contains(field) else {
        throw ValidationError(
          "--generalise: '\(name)' cannot be generalised; these can: "
            + Suggestion.generalisable.map(\.name).joined(separator: ", "))
      }
      fields.insert(field)
    }
    return fields
  }

  private func kept() throws -> [PolicyDocument] {
    let (documents, policy, findings) = PolicyLoader.load(policies)
    FindingsReport(findings).printText()
    guard policy != nil else { throw ExitCode(2) }
    let allowing = documents.flatMap(\.rules).first { $0.action == .allow && $0.mode == .enforce }
    if let allowing {
      Console.error(
        "\(allowing.name.location): note: rule '\(allowing.name.value)' stays in force beside the suggestion, "
          + "unless you take it out")
    }
    return documents
  }

  private func write(_ proposal: Proposal) throws {
    guard let output else { return try Output.write(proposal.wholeText) }
    do {
      try NewFiles.write(
        ["policy.yaml": proposal.policyText, "tests.yaml": proposal.testsText], into: output)
    } catch {
      Console.error("\(error)")
      throw ExitCode(2)
    }
    try Output.write("\(output)/policy.yaml: rules \(proposal.rules)\n\(output)/tests.yaml\n")
  }
}
