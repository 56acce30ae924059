import AccessPolicy

@testable import TLSEngine

/// A client and a server that are joined by memory alone.
final class InMemoryPair {
  let server: TLSSession
  let client: TLSClientSession
  let serverBuffers: RecordBuffers
  let clientBuffers: RecordBuffers
  /// How many bytes go over at a time.
  var portion = Int.max
  /// Sees, and may change, what the client sends.
  var fromClient: (inout [UInt8]) -> Void = { _ in }
  /// Everything that the server sent.
  private(set) var sentByServer: [UInt8] = []
  private var pendingToServer: [UInt8] = []
  private var pendingToClient: [UInt8] = []

  convenience init(_ server: ServerContextOptions, _ client: TLSClientOptions, capacity: Int = 65_536) throws
  {
    try self.init(ServerContext(server), client, capacity: capacity)
  }

  init(
    _ server: ServerContext, _ client: TLSClientOptions, cache: HandshakeCache? = nil, capacity: Int = 65_536,
    recordSize: Int? = nil
  ) throws {
    serverBuffers = RecordBuffers(inboundCapacity: capacity, outboundCapacity: capacity)
    clientBuffers = RecordBuffers(inboundCapacity: capacity, outboundCapacity: capacity)
    self.server = try TLSSession(server, buffers: serverBuffers, cache: cache, recordSize: recordSize)
    self.client = try TLSClientSession(TLSClientContext(client), buffers: clientBuffers)
  }

  deinit {
    // Without it, OpenSSL would not let the client resume the session that others of its connections share.
    client.sendCloseNotify()
  }

  /// Carries what the client has written to the server's buffers.
  /// - Returns: whether anything went over.
  @discardableResult
  func carryToServer() -> Bool {
    var bytes = clientBuffers.takeOutbound()
    fromClient(&bytes)
    pendingToServer += bytes
    return serverBuffers.give(&pendingToServer, atMost: portion)
  }

  @discardableResult
  func carryToClient() -> Bool {
    let bytes = serverBuffers.takeOutbound()
    sentByServer += bytes
    pendingToClient += bytes
    return clientBuffers.give(&pendingToClient, atMost: portion)
  }

  /// Runs the handshake until the server is done with it and nothing is left to carry.
  @discardableResult
  func handshake(now: Timestamp = TestPKI.now) -> HandshakeStep {
    var step = HandshakeStep.incomplete
    for _ in 0..<100_000 {
      let before = client.handshake(now: now)
      let toServer = carryToServer()
      if case .incomplete = step { step = server.handshake(now: now) }
      let toClient = carryToClient()
      if case .incomplete = step {
        if case .failed = before, !toServer { return step }
        if !toServer, !toClient { return step }
      } else if !toClient, !toServer {
        return step
      }
    }
    return step
  }

  /// What the client has to say once the server refused it.
  func clientReads() -> ReadStep {
    var buffer = [UInt8](repeating: 0, count: 4096)
    return unsafe buffer.withUnsafeMutableBytes { unsafe client.read(into: $0) }
  }
}

extension TLSSession {
  func send(_ bytes: some Collection<UInt8>) -> WriteStep {
    unsafe Array(bytes).withUnsafeBytes { unsafe write($0) }
  }

  /// One read of at most `limit` bytes.
  func receive(_ limit: Int = 16_384) -> (step: ReadStep, bytes: [UInt8]) {
    unsafe received(limit) { unsafe read(into: $0) }
  }
}

extension TLSClientSession {
  func send(_ bytes: some Collection<UInt8>) -> WriteStep {
    unsafe Array(bytes).withUnsafeBytes { unsafe write($0) }
  }

  /// One read of at most `limit` bytes.
  func receive(_ limit: Int = 16_384) -> (step: ReadStep, bytes: [UInt8]) {
    unsafe received(limit) { unsafe read(into: $0) }
  }
}

private func received(
  _ limit: Int, _ read: (UnsafeMutableRawBufferPointer) -> ReadStep
) -> (step: ReadStep, bytes: [UInt8]) {
  var buffer = [UInt8](repeating: 0, count: limit)
  let step = unsafe buffer.withUnsafeMutableBytes { unsafe read($0) }
  if case .bytes(let count) = step { return (step, Array(buffer.prefix(count))) }
  return (step, [])
}

extension RecordBuffers {
  func load(_ bytes: [UInt8]) { unsafe bytes.withUnsafeBytes { unsafe loadInbound($0) } }

  var unread: [UInt8] { unsafe Array(inboundUnread) }
  var unsent: [UInt8] { unsafe Array(outbound) }

  func takeOutbound() -> [UInt8] {
    let bytes = unsafe Array(outbound)
    clearOutbound()
    return bytes
  }

  func give(_ bytes: inout [UInt8], atMost portion: Int = .max) -> Bool {
    let space = unsafe inboundSpace
    let count = min(bytes.count, space.count, portion)
    guard count > 0 else { return false }
    unsafe bytes.withUnsafeBytes {
      unsafe space.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[0..<count]))
    }
    received(count)
    bytes.removeFirst(count)
    return true
  }
}

extension HandshakeStep {
  var failure: HandshakeFailure? {
    if case .failed(let failure) = self { return failure }
    return nil
  }

  var isComplete: Bool {
    if case .complete = self { return true }
    return false
  }
}
