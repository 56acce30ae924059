import ArgumentParser

/// The command line; one file a command.
@main
struct Countersign: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "countersign",
    abstract: "Lets only the callers that a policy names reach a TCP service, by their client certificates.",
    version: Version.text,
    subcommands: [
      Serve.self, Check.self, Explain.self, Test.self, ReplayCommand.self, Suggest.self, Audit.self,
      Demo.self,
    ])
}
