import AccessPolicy
import DataPlane
import FuzzSupport

/// Any bytes as a Postgres client's first message, and as what a server says until it is ready.
@main
enum FuzzPostgres {
  static func main() {
    runFuzzer { input in
      let whole = PostgresFirstMessage.parse(input.span)
      for cut in 0..<min(input.count, 100) { check(whole, prefix: Array(input.prefix(cut))) }
      if case .complete(let message, let length) = whole { check(message, Array(input.prefix(length))) }
      checkScan(input)
      if case .complete(_, let length) = PostgresUpstreamTLS.answer(input.span) {
        Invariant.hold(length == 1 && input.count == 1, "bytes behind the answer to SSLRequest")
      }
      checkAnswer(String(decoding: input, as: UTF8.self))
    }
  }
}

/// What a beginning of the input says, the whole must not take back.
private func check(_ whole: WireStep<PostgresFirstMessage>, prefix: [UInt8]) {
  switch (PostgresFirstMessage.parse(prefix.span), whole) {
  case (.incomplete, _): break
  case (.invalid, .invalid): break
  case (.complete(let early, let length), .complete(let late, let lateLength)):
    Invariant.hold(early == late && length == lateLength, "\(early) became \(late)")
  case (.invalid, _), (.complete, _): Invariant.hold(false, "more bytes turned the verdict on \(prefix)")
  }
}

private func check(_ message: PostgresFirstMessage, _ bytes: [UInt8]) {
  switch message {
  case .sslRequest: Invariant.hold(bytes == PostgresUpstreamTLS.request, "an SSLRequest of other bytes")
  case .gssEncryptionRequest: Invariant.hold(bytes.count == 8, "a GSSENCRequest of \(bytes.count) bytes")
  case .cancel(let key): Invariant.hold(key.request == bytes, "a CancelRequest that is not the same again")
  case .startup(let startup):
    Invariant.hold(startup.message == bytes, "a startup message that is not passed on as it came")
    for name in [startup.user, startup.database] {
      Invariant.hold((1...63).contains(name.utf8.count), "a name of \(name.utf8.count) bytes")
      Invariant.hold(!DiagnosticInvariants.hasControl(name), "a name with a control character")
      Invariant.hold(contains(bytes, Array(name.utf8) + [0]), "\(name) is not in the message")
    }
    Invariant.hold(
      (startup.facts[.postgresDatabase] == nil) == (startup.replication == .physical),
      "a database of a cluster")
  }
}

private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
  bytes.indices.contains { bytes[$0...].starts(with: part) }
}

/// A scan gives the same wherever its input is cut.
private func checkScan(_ input: [UInt8]) {
  var whole = PostgresBackendScan()
  whole.scan(input.span)
  var pieces = PostgresBackendScan()
  for byte in input { pieces.scan([byte].span) }
  Invariant.hold(pieces.outcome == whole.outcome && pieces.key == whole.key, "\(pieces) and \(whole)")
  if let key = whole.key {
    Invariant.hold(
      PostgresCancelKey.secretLengths.contains(key.secret.count), "a key of \(key.secret.count) bytes")
  }
}

/// Whatever text an error has, it is one field of one message.
private func checkAnswer(_ text: String) {
  let message = PostgresAnswer.fatal(.invalidAuthorization, text)
  Invariant.hold(
    message.count { $0 == 0 } == 5 + message[1..<5].count { $0 == 0 }, "an error with a zero in its text")
  Invariant.hold(
    message[1..<5].reduce(0) { $0 << 8 | Int($1) } == message.count - 1, "an error of another length")
}
