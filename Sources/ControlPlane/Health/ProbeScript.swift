import DataPlane
import EventLoop
package import GatewayConfiguration

/// What a probe says to an address, and what it takes for an answer. Pure.
package struct ProbeScript: Sendable, Hashable {
  package enum Verdict: Sendable, Hashable {
    case incomplete
    case well
    case ill(String)
  }

  private enum Question: Sendable, Hashable {
    /// A connection is answer enough.
    case connection
    /// SSLRequest; `needsTLS`: only a server that takes it will do.
    case postgres(needsTLS: Bool)
    /// The server speaks first.
    case mysql
  }

  private let question: Question
  /// What is sent as soon as there is a connection.
  package let opening: [UInt8]

  package init(
    _ probe: HealthCheck.Probe, _ wireProtocol: WireProtocol, proxyHeader: Upstream.ProxyHeader = .none,
    needsTLS: Bool = false
  ) {
    switch (probe, wireProtocol) {
    case (.tcp, _), (.protocol, .tcp): question = .connection
    case (.protocol, .postgres): question = .postgres(needsTLS: needsTLS)
    case (.protocol, .mysql): question = .mysql
    }
    var opening = Self.header(proxyHeader)
    if case .postgres = question { opening += PostgresUpstreamTLS.request }
    self.opening = opening
  }

  /// Whoever wants a PROXY header waits for one, also from somebody who speaks for nobody.
  private static func header(_ header: Upstream.ProxyHeader) -> [UInt8] {
    switch header {
    case .none: []
    case .v1: ProxyHeader.v1(source: .unix(""), destination: .unix(""))
    case .v2, .v2TLS: ProxyHeader.local
    }
  }

  /// - Parameter bytes: everything that has come since the connection was made.
  package func judge(_ bytes: [UInt8]) -> Verdict {
    switch question {
    case .connection: .well
    case .postgres(let needsTLS): Self.judgePostgres(bytes, needsTLS: needsTLS)
    case .mysql: Self.judgeMySQL(bytes)
    }
  }

  private static func judgePostgres(_ bytes: [UInt8], needsTLS: Bool) -> Verdict {
    switch PostgresUpstreamTLS.answer(bytes.span) {
    case .incomplete: .incomplete
    case .invalid(let problem): .ill(problem)
    case .complete(.refused, _) where needsTLS: .ill("it does not speak TLS: it answered SSLRequest with N")
    case .complete: .well
    }
  }

  /// The greeting: its length in three bytes, its number, which is 0, and the version of the protocol; an ERR
  /// packet stands in its place where the server wants nobody (MySQL documentation, "Protocol::Handshake").
  private static func judgeMySQL(_ bytes: [UInt8]) -> Verdict {
    guard bytes.count > 4 else { return .incomplete }
    let length = Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16
    guard length > 0, bytes[3] == 0 else { return .ill("it does not begin as a MySQL server does") }
    switch bytes[4] {
    case 10: return .well
    case 0xff:
      guard bytes.count > 6 else { return length < 3 ? .ill("it answered with an error") : .incomplete }
      return .ill("it answered with error \(Int(bytes[5]) | Int(bytes[6]) << 8)")
    default: return .ill("it speaks version \(bytes[4]) of the MySQL protocol, expected 10")
    }
  }
}
