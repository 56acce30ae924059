@testable import DataPlane

// A span must not outlive what it looks at, which the macros of tests cannot promise: here arrays are read.

extension ProxyHeader {
  static func parse(_ bytes: [UInt8]) -> WireStep<ProxyHeader> { parse(bytes.span) }
}

extension PostgresFirstMessage {
  static func parse(_ bytes: [UInt8]) -> WireStep<PostgresFirstMessage> { parse(bytes.span) }
}

extension PostgresUpstreamTLS {
  static func answer(_ bytes: [UInt8]) -> WireStep<Answer> { answer(bytes.span) }
}

extension PostgresBackendScan {
  mutating func scan(_ bytes: [UInt8]) { scan(bytes.span) }
}

extension MySQLGreeting {
  static func parse(_ bytes: [UInt8]) -> WireStep<First> { parse(bytes.span) }
}

extension MySQLClientHello {
  static func parse(_ bytes: [UInt8]) -> WireStep<MySQLClientHello> { parse(bytes.span) }
}

extension MySQLHandshakeResponse {
  static func parse(_ bytes: [UInt8]) -> WireStep<MySQLHandshakeResponse> { parse(bytes.span) }
}

extension MySQLServerAuthentication {
  static func parse(_ bytes: [UInt8], _ numbering: MySQLNumbering) -> WireStep<MySQLServerAuthentication> {
    parse(bytes.span, numbering)
  }
}

extension MySQLChangeUser {
  static func parse(_ bytes: [UInt8], client: MySQLCapabilities) -> WireStep<MySQLChangeUser> {
    parse(bytes.span, client: client)
  }
}

extension MySQLCommandScan {
  mutating func scan(_ bytes: [UInt8]) -> Step { scan(bytes.span) }
}
