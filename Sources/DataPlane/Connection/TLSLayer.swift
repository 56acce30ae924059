import TLSEngine

/// TLS over one side's socket: ours is the server's part towards a client, the client's towards an upstream.
enum TLSLayer {
  case server(TLSSession)
  case client(TLSClientSession)

  /// Reads at most one record's data.
  func read(into target: UnsafeMutableRawBufferPointer) -> ReadStep {
    switch self {
    case .server(let session): unsafe session.read(into: target)
    case .client(let session): unsafe session.read(into: target)
    }
  }

  /// Encrypts into the outbound buffer as much as it has room for.
  func write(_ source: UnsafeRawBufferPointer) -> WriteStep {
    switch self {
    case .server(let session): unsafe session.write(source)
    case .client(let session): unsafe session.write(source)
    }
  }

  func sendCloseNotify() {
    switch self {
    case .server(let session): session.sendCloseNotify()
    case .client(let session): session.sendCloseNotify()
    }
  }
}
