import AccessPolicy
import DataPlane
import FuzzSupport

/// Any bytes as each packet that a MySQL client or server sends until commands are next, and as commands.
@main
enum FuzzMySQL {
  static func main() {
    let served = MySQLGreeting(version: "8.0.36", connectionID: 1, nonce: Array(1...20))
    runFuzzer { input in
      checkPrefixes(input) { MySQLClientHello.parse($0) }
      checkPrefixes(input) { MySQLHandshakeResponse.parse($0) }
      checkPrefixes(input) { MySQLGreeting.parse($0) }
      checkPrefixes(input) { MySQLChangeUser.parse($0, client: .offered) }
      let numbering = MySQLNumbering(lastOfClient: 2, lastOfUpstream: 1)
      checkPrefixes(input) { MySQLServerAuthentication.parse($0, numbering) }
      if case .complete(let response, _) = MySQLHandshakeResponse.parse(input.span) {
        check(response.names)
        checkUpstream(response, served)
      }
      if case .complete(.greeting(let upstream), _) = MySQLGreeting.parse(input.span),
        case .complete(let response, _) = MySQLHandshakeResponse.parse(sample.span)
      {
        checkUpstream(response, upstream)
      }
      if case .complete(let change, _) = MySQLChangeUser.parse(input.span, client: .offered) {
        check(change.names)
        let packet = change.packet(upstream: .offered)
        guard case .complete(let again, packet.count) = MySQLChangeUser.parse(packet.span, client: .offered)
        else {
          Invariant.hold(false, "COM_CHANGE_USER cannot be read back")
          return
        }
        Invariant.hold(again == change, "\(change) became \(again)")
      }
      checkScan(input)
    }
  }
}

private let sample: [UInt8] = {
  var payload: [UInt8] = []
  payload.appendLittle(MySQLCapabilities.offered.rawValue, 4)
  payload += [0, 0, 0, 1, 45] + Array(repeating: 0, count: 23)
  payload += Array("orders_ro\0\0orders\0mysql_native_password\0\0".utf8)
  return MySQLPacket.frame(payload, sequence: 2)
}()

/// What a beginning of the input says, the whole must not take back.
private func checkPrefixes<Value: Equatable>(_ input: [UInt8], _ parse: (Span<UInt8>) -> WireStep<Value>) {
  let whole = parse(input.span)
  for cut in 0..<min(input.count, 64) {
    let prefix = Array(input.prefix(cut))
    switch (parse(prefix.span), whole) {
    case (.incomplete, _): break
    case (.invalid, .invalid): break
    case (.complete(let early, let length), .complete(let late, let lateLength)):
      Invariant.hold(early == late && length == lateLength, "\(early) became \(late)")
    case (.invalid, _), (.complete, _): Invariant.hold(false, "more bytes turned the verdict on \(prefix)")
    }
  }
}

private func check(_ names: MySQLNames) {
  for name in [names.user, names.database ?? "none"] {
    Invariant.hold(!DiagnosticInvariants.hasControl(name), "a name with a control character")
    Invariant.hold(name.unicodeScalars.count <= 80, "a name of \(name.unicodeScalars.count) characters")
  }
  Invariant.hold(names.database != "", "a database without a name")
}

/// What the upstream is told holds what was judged, and nothing that it did not offer.
private func checkUpstream(_ response: MySQLHandshakeResponse, _ upstream: MySQLGreeting) {
  for usesTLS in [false, true] {
    guard
      let handshake = try? MySQLUpstreamHandshake(
        response, upstream: upstream, usesTLS: usesTLS, isMariaDB: upstream.isMariaDB)
    else {
      continue
    }
    Invariant.hold(
      upstream.capabilities.isSuperset(of: handshake.capabilities), "more than the upstream offered")
    Invariant.hold(
      handshake.capabilities.isDisjoint(with: [.compress, .zstd, .sessionTrack]), "what was not offered")
    Invariant.hold(handshake.capabilities.contains(.tls) == usesTLS, "TLS where there is none")
    guard usesTLS else { continue }
    let packet = handshake.packet
    guard case .complete(let again, packet.count) = MySQLHandshakeResponse.parse(packet.span) else {
      Invariant.hold(false, "the handshake response cannot be read back")
      return
    }
    let judged = upstream.capabilities.contains(.connectWithDatabase) ? response.names.database : nil
    Invariant.hold(again.names.user == response.names.user && again.names.database == judged, "another user")
  }
}

/// A scan finds the same commands wherever its input is cut, and what it keeps back is short.
private func checkScan(_ input: [UInt8]) {
  func run(chunk: Int) -> (passed: Int, command: MySQLCommandScan.Command?) {
    var scan = MySQLCommandScan()
    var passed = 0
    for end in stride(from: min(chunk, input.count), through: input.count, by: chunk) {
      let step = scan.scan(Array(input[passed..<end]).span)
      passed += step.passable
      if let command = step.command { return (passed, command) }
      Invariant.hold(end - passed <= 4, "a scan keeps \(end - passed) bytes back")
    }
    return (passed, nil)
  }
  guard !input.isEmpty else { return }
  let whole = run(chunk: input.count)
  let pieces = run(chunk: 1)
  Invariant.hold(whole == pieces, "\(whole) and \(pieces)")
}
