import ArgumentParser
import AuditLog
import ControlPlane
import EventLoop
import Foundation
import TLSEngine

/// `countersign demo`: the gateway with everything around it, in one process and without other software.
struct Demo: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows an allowed, a denied and an unmapped caller, with nothing to set up.",
    discussion: "Makes a throw-away CA and certificates, starts the gateway before a service of its own, "
      + "lets three clients try, and prints what the audit log says of each.")

  @Flag(name: .long, help: "Leave the gateway and its files there, to try it by hand, until interrupted.")
  var keep = false

  func run() throws {
    // Before the first thread: threads inherit the mask.
    let signals = keep ? try SignalSource([SIGINT, SIGTERM]) : nil
    SignalSource.ignoreWriteSignals()
    let files = try DemoFiles()
    defer { if !keep { files.remove() } }
    let upstream = try DemoUpstream()
    defer { upstream.end() }
    let port = try Self.freePort()
    let path = try files.configure(port: port, upstreamPort: upstream.address.port ?? 0)
    let gateway = try RunningGateway.start(
      configurationPath: path, version: Version.number, report: { FindingsReport($0).printText() })
    defer { gateway.end(cause: "the demo is over") }
    introduce(files)
    let address = NetworkAddress.v4(0x7f00_0001, port: port)
    for client in DemoFiles.clients { try show(client, files, address) }
    try conclude(files, port, signals)
  }

  private func introduce(_ files: DemoFiles) {
    print(
      """
      A gateway stands before a service. The service trusts whoever reaches it; the gateway lets in whom
      this policy names:

      \(DemoFiles.policy.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))

      """)
  }

  private func show(_ client: DemoFiles.Client, _ files: DemoFiles, _ address: NetworkAddress) throws {
    let before = try lines(files).count
    var options = TLSClientOptions()
    options.serverCA = try files.read("ca.pem")
    options.identity = IdentityOptions(
      certificates: [try files.read("\(client.file).pem")],
      privateKeys: [try files.read("\(client.file).key")])
    options.serverName = "localhost"
    let seen = try DemoClient(options).attempt(address, line: "hello")
    let record = try verdict(files, after: before)
    print(Style.heading("Now comes \(client.title)."))
    print("  certificate   URI:\(client.uri)")
    print("  client        \(seen)")
    print("  verdict       \(Style.verdict(client.expectation))")
    print("  audit log     \(AuditLine.render(record, color: Style.isColored))")
    for line in RecordText.lines(record, width: 92) { print("    \(Style.dim(line))") }
    print("")
  }

  private func conclude(_ files: DemoFiles, _ port: UInt16, _ signals: SignalSource?) throws {
    guard let signals else {
      print(
        "That was all; nothing of it is left. 'countersign demo --keep' leaves it running to try by hand.")
      return
    }
    print(
      """
      The gateway goes on at 127.0.0.1:\(port); end it with Ctrl-C. Its files are in \(files.folder.path). Try:

        cd \(files.folder.path)
        openssl s_client -quiet -connect 127.0.0.1:\(port) -CAfile ca.pem -cert orders.pem -key orders.key
        tail -f audit.log
      """)
    let poller = try Poller()
    try poller.add(signals.descriptor, token: 0, mode: .level)
    while signals.read().isEmpty { try poller.wait(timeoutMilliseconds: -1) { _, _ in } }
    files.remove()
  }

  /// The verdict's record. That of an allowed client is in the log before the client hears anything; for that
  /// of a refused one nobody waits, so it may come a moment later.
  private func verdict(_ files: DemoFiles, after before: Int) throws -> ArraySlice<UInt8> {
    let end = MonotonicTime.now() + .seconds(5)
    while MonotonicTime.now() < end {
      if let found = try lines(files).dropFirst(before).first(where: isVerdict) { return found }
      usleep(1_000)
    }
    throw DemoError(message: "the audit log has no record of this connection")
  }

  private func isVerdict(_ line: ArraySlice<UInt8>) -> Bool {
    guard let record = try? JSONParser.parse(line) else { return false }
    return ["connection-allowed", "connection-denied"].contains(record["event", "action"]?.text ?? "")
  }

  private func lines(_ files: DemoFiles) throws -> [ArraySlice<UInt8>] {
    try files.read("audit.log").split(separator: UInt8(ascii: "\n"))
  }

  /// A port that nobody has now; the gateway takes it a moment later.
  private static func freePort() throws -> UInt16 {
    let socket = try ListeningSocket.listen(on: .v4(0x7f00_0001, port: 0), backlog: 1, reusePort: false)
    let port = socket.localAddress()?.port
    socket.close()
    guard let port else { throw DemoError(message: "a fresh socket has no port") }
    return port
  }
}

/// Colour on a terminal, and none elsewhere.
enum Style {
  static let isColored = isatty(STDOUT_FILENO) == 1

  static func heading(_ text: String) -> String { isColored ? "\u{1B}[1m\(text)\u{1B}[0m" : text }

  static func dim(_ text: String) -> String { isColored ? "\u{1B}[2m\(text)\u{1B}[0m" : text }

  static func verdict(_ text: String) -> String {
    guard isColored else { return text }
    return "\u{1B}[\(text == "allowed" ? 32 : 31)m\(text)\u{1B}[0m"
  }
}
