import ArgumentParser
import ControlPlane

/// `countersign serve`: runs the gateway until it is told to stop.
struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Runs the gateway.")

  @Option(name: .long, help: "The configuration file.", completion: .file(extensions: ["yaml", "yml"]))
  var config: String

  func run() throws {
    let status = Server(
      configurationPath: config, version: Version.number,
      report: { FindingsReport($0).printText() }
    ).run()
    if status != 0 { throw ExitCode(status) }
  }
}
