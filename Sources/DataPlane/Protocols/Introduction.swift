package import AccessPolicy
package import GatewayConfiguration

/// The first message that a client sends within TLS, as a value: bytes in, what it says out.
package struct Introduction {
  /// What the client wants.
  package enum Purpose: Equatable, Sendable {
    case postgres(PostgresStartup)
    case mysql(MySQLHandshakeResponse)
    case cancel(PostgresCancelKey)

    /// What the client wanted, to be put into a sentence; nil where it did not say.
    package var wish: String? {
      switch self {
      case .mysql(let response): response.names.wish
      case .postgres(let startup): "as user \"\(startup.user)\" to database \"\(startup.database)\""
      case .cancel: nil
      }
    }

    /// What is known of the connection by it: claims, for policies to judge.
    package var facts: Facts {
      switch self {
      case .postgres(let startup): startup.facts
      case .mysql(let response): response.names.facts
      case .cancel: Facts()
      }
    }
  }

  package enum Step: Equatable, Sendable {
    case waits
    case complete(Purpose)
    /// What is wrong, for the log.
    case refuse(String)
  }

  private let wireProtocol: WireProtocol
  private var bytes: [UInt8] = []

  package init(_ wireProtocol: WireProtocol) { self.wireProtocol = wireProtocol }

  /// Hands over the bytes that came behind the message: they are for the upstream.
  package mutating func takeRest() -> [UInt8] {
    defer { bytes = [] }
    return bytes
  }

  package mutating func append(_ more: UnsafeRawBufferPointer) { unsafe bytes.append(contentsOf: more) }

  package mutating func next() -> Step { wireProtocol == .mysql ? mysql() : postgres() }

  private mutating func mysql() -> Step {
    switch MySQLHandshakeResponse.parse(bytes.span) {
    case .incomplete: return .waits
    case .invalid(let problem): return .refuse(problem)
    case .complete(let response, let length):
      bytes.removeFirst(length)
      return .complete(.mysql(response))
    }
  }

  private mutating func postgres() -> Step {
    switch PostgresFirstMessage.parse(bytes.span) {
    case .incomplete: return .waits
    case .invalid(let problem): return .refuse(problem)
    case .complete(let message, let length):
      bytes.removeFirst(length)
      switch message {
      case .startup(let startup): return .complete(.postgres(startup))
      case .cancel(let key):
        return bytes.isEmpty ? .complete(.cancel(key)) : .refuse("bytes follow the CancelRequest")
      case .sslRequest: return .refuse("the client asks for TLS within TLS")
      case .gssEncryptionRequest: return .refuse("the client asks for GSS encryption within TLS")
      }
    }
  }
}

extension MySQLNames {
  /// What the client wanted, to be put into a sentence.
  var wish: String { "as user \"\(user)\"" + (database.map { " to database \"\($0)\"" } ?? "") }
}
