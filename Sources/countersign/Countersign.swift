import ArgumentParser
import ControlPlane

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

  static func main() {
    do {
      var command = try parseAsRoot()
      do {
        try command.run()
      } catch let error as ValidationError {
        // Thrown while a command runs, ArgumentParser would show the usage of the program as a whole.
        throw WrongUsage.because(error.message, type(of: command))
      }
    } catch {
      exit(withError: error)
    }
  }

  func run() throws { throw WrongUsage.noSubcommand(of: Self.self) }
}

/// Arguments that make no sense: told with what would, as ArgumentParser does, and ended with 64.
enum WrongUsage {
  static func because(_ message: String, _ command: any ParsableCommand.Type) -> ExitCode {
    Console.error("Error: \(message)\nUsage: \(Countersign.usageString(for: command))")
    return .validationFailure
  }

  static func noSubcommand(of command: any ParsableCommand.Type) -> ExitCode {
    Console.error("Error: a subcommand is missing\n\n\(Countersign.helpMessage(for: command))")
    return .validationFailure
  }
}
