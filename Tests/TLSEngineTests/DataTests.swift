import AccessPolicy
import Testing

@testable import TLSEngine

/// Application data and the ends of a session.
@Suite struct DataTests {
  /// Bytes that no shift or swap of records leaves equal.
  static func pattern(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) }
  }

  @Test(arguments: TLSVersion.allCases, [65_536, 20_000, 700])
  func bigTransfersBothWays(version: TLSVersion, capacity: Int) throws {
    let pair = try InMemoryPair(
      TestPKI.serverOptions(), TestPKI.clientOptions().speaking(version), capacity: capacity)
    #expect(pair.handshake().isComplete)
    let data = Self.pattern(1_000_003)
    #expect(
      pair.upload(data)
        == data)
    #expect(
      pair.download(data)
        == data)
  }

  @Test(arguments: TLSVersion.allCases, [(8192, 8192), (nil, 16_384)])
  func recordsHoldAsMuchAsTheyMay(version: TLSVersion, size: (asked: Int?, largest: Int)) throws {
    let pair = try InMemoryPair(
      ServerContext(TestPKI.serverOptions()), TestPKI.clientOptions().speaking(version),
      recordSize: size.asked)
    #expect(pair.handshake().isComplete)
    let before = pair.sentByServer.count
    let data = Self.pattern(100_000)
    #expect(pair.download(data) == data)
    // Each record has its length behind type and version (RFC 8446 §5.1), and at most 24 bytes beside the data.
    var sent = pair.sentByServer[before...]
    var lengths: [Int] = []
    while sent.count >= 5 {
      let head = Array(sent.prefix(5))
      lengths.append(Int(head[3]) << 8 | Int(head[4]))
      sent = sent.dropFirst(5 + lengths[lengths.count - 1])
    }
    #expect(sent.isEmpty)
    let longest = try #require(lengths.max())
    #expect((size.largest + 1...size.largest + 24).contains(longest))
  }

  @Test(arguments: TLSVersion.allCases)
  func oneByteAtATime(version: TLSVersion) throws {
    let pair = try InMemoryPair(TestPKI.serverOptions(), TestPKI.clientOptions().speaking(version))
    pair.portion = 1
    #expect(pair.handshake().isComplete)
    let data = Self.pattern(2_000)
    #expect(
      pair.upload(data)
        == data)
    #expect(
      pair.download(data)
        == data)
  }

  @Test(arguments: TLSVersion.allCases)
  func closeNotifyFromTheClient(version: TLSVersion) throws {
    let pair = try InMemoryPair(TestPKI.serverOptions(), TestPKI.clientOptions().speaking(version))
    #expect(pair.handshake().isComplete)
    let data = [UInt8]("last".utf8)
    #expect(pair.client.send(data) == .bytes(4))
    pair.client.sendCloseNotify()
    pair.carryToServer()
    #expect(pair.server.receive().step == .bytes(4))
    #expect(pair.server.receive().step == .closeNotify)
    #expect(pair.server.receive().step == .closeNotify)
    // Half-closed: our direction goes on.
    #expect(pair.server.send(data) == .bytes(4))
    pair.carryToClient()
    #expect(pair.clientReads() == .bytes(4))
  }

  @Test(arguments: TLSVersion.allCases)
  func closeNotifyFromTheServer(version: TLSVersion) throws {
    let pair = try InMemoryPair(TestPKI.serverOptions(), TestPKI.clientOptions().speaking(version))
    #expect(pair.handshake().isComplete)
    let data = [UInt8]("data".utf8)
    pair.server.sendCloseNotify()
    let once = pair.serverBuffers.unsent.count
    pair.server.sendCloseNotify()
    #expect(pair.serverBuffers.unsent.count == once)
    #expect(once > 0)
    pair.carryToClient()
    #expect(pair.clientReads() == .closeNotify)
    // The client may still have something to say, which a second end of ours must not swallow.
    #expect(pair.client.send(data) == .bytes(4))
    pair.carryToServer()
    pair.server.sendCloseNotify()
    #expect(pair.server.receive().step == .bytes(4))
    guard case .failed = pair.server.send(data) else {
      Issue.record("writing behind close_notify")
      return
    }
  }

  @Test func truncationIsNotAnEnd() throws {
    let pair = try InMemoryPair(TestPKI.serverOptions(), TestPKI.clientOptions())
    #expect(pair.handshake().isComplete)
    let data = [UInt8]("data".utf8)
    #expect(pair.client.send(data) == .bytes(4))
    pair.portion = 10
    pair.carryToServer()
    #expect(pair.server.receive().step == .wouldBlock)
  }

  @Test(arguments: TLSVersion.allCases)
  func changedRecordBreaksTheSession(version: TLSVersion) throws {
    let pair = try InMemoryPair(TestPKI.serverOptions(), TestPKI.clientOptions().speaking(version))
    #expect(pair.handshake().isComplete)
    let data = [UInt8]("data".utf8)
    #expect(pair.client.send(data) == .bytes(4))
    pair.fromClient = { if let last = $0.indices.last { $0[last] ^= 1 } }
    pair.carryToServer()
    #expect(
      pair.server.receive().step
        == .failed("decryption failed or bad record mac"))
    guard case .failed = pair.server.receive().step else {
      Issue.record("reading goes on behind a broken record")
      return
    }
  }

  @Test func nothingIsReadOrWrittenBeforeTheHandshake() throws {
    let pair = try InMemoryPair(TestPKI.serverOptions(), TestPKI.clientOptions())
    let data = [UInt8]("data".utf8)
    #expect(pair.server.send(data) == .failed("the handshake is not complete"))
    #expect(
      pair.server.receive().step == .failed("the handshake is not complete"))
    pair.server.sendCloseNotify()
    #expect(pair.serverBuffers.unsent.isEmpty)
  }

  @Test func floodOfKeyUpdatesEndsTheSession() throws {
    let pair = try InMemoryPair(TestPKI.serverOptions(), TestPKI.clientOptions())
    #expect(pair.handshake().isComplete)
    for round in 1...40 {
      #expect(pair.client.updateKeys())
      pair.client.pump()
      pair.carryToServer()
      let step = pair.server.receive().step
      #expect(
        step == (round <= 32 ? .wouldBlock : .failed("the client floods the session with handshake messages"))
      )
      if case .failed = step { return }
    }
  }

  @Test func floodInOneFlightIsBounded() throws {
    let pair = try InMemoryPair(TestPKI.serverOptions(), TestPKI.clientOptions())
    #expect(pair.handshake().isComplete)
    for _ in 0..<500 {
      #expect(pair.client.updateKeys())
      pair.client.pump()
    }
    pair.carryToServer()
    let before = pair.serverBuffers.unread.count
    #expect(
      pair.server.receive().step
        == .failed("the client floods the session with handshake messages"))
    // Work stopped after 33 of the 500 records.
    #expect(pair.serverBuffers.unread.count > before * 9 / 10)
  }

  @Test func keyUpdatesAmongDataAreFine() throws {
    let pair = try InMemoryPair(TestPKI.serverOptions(), TestPKI.clientOptions())
    #expect(pair.handshake().isComplete)
    let data = Self.pattern(65_536)
    for _ in 0..<50 {
      #expect(pair.client.updateKeys())
      #expect(
        pair.upload(data) == data)
    }
  }

  /// Two sessions take turns over one pair of buffers, as on a worker.
  @Test func sessionsShareTheBuffersOfAWorker() throws {
    let buffers = RecordBuffers(inboundCapacity: 32_768, outboundCapacity: 32_768)
    let context = try ServerContext(TestPKI.serverOptions())
    var peers = try (0..<2).map { _ in try SharedBufferPeer(context, buffers) }
    for _ in 0..<20 { for index in peers.indices { try peers[index].turn() } }
    for (index, peer) in peers.enumerated() {
      #expect(peer.server.isEstablished, "session \(index)")
      #expect(peer.received.count > 100)
      #expect(peer.received == Array(peer.sent.prefix(peer.received.count)))
    }
  }
}

/// A client of its own buffers, and a server session that only borrows the worker's.
private struct SharedBufferPeer {
  let server: TLSSession
  let client: TLSClientSession
  let clientBuffers = RecordBuffers(inboundCapacity: 32_768, outboundCapacity: 32_768)
  let worker: RecordBuffers
  var saved: [UInt8] = []
  var sent: [UInt8] = []
  var received: [UInt8] = []

  init(_ context: ServerContext, _ worker: RecordBuffers) throws {
    self.worker = worker
    server = try TLSSession(context, buffers: worker)
    client = try TLSClientSession(TLSClientContext(TestPKI.clientOptions()), buffers: clientBuffers)
  }

  mutating func turn() throws {
    if client.handshake(now: TestPKI.now) == .complete {
      let chunk = DataTests.pattern(40 + sent.count % 7)
      #expect(client.send(chunk) == .bytes(chunk.count))
      sent += chunk
    }
    // All but the last bytes arrive, so that a piece of a record is always left for the next turn.
    var arriving = clientBuffers.takeOutbound()
    let late = Array(arriving.suffix(3))
    arriving.removeLast(late.count)
    worker.load(saved)
    #expect(worker.give(&arriving) || late.isEmpty)
    _ = server.handshake(now: TestPKI.now)
    while case (.bytes, let bytes) = server.receive() { received += bytes }
    saved = worker.unread + late
    worker.clearInbound()
    var answer = worker.takeOutbound()
    _ = clientBuffers.give(&answer)
  }
}

extension InMemoryPair {
  func upload(_ data: [UInt8]) -> [UInt8] {
    transfer(data, from: client.send, to: { server.receive() }, carry: carryToServer)
  }

  func download(_ data: [UInt8]) -> [UInt8] {
    transfer(data, from: server.send, to: { client.receive() }, carry: carryToClient)
  }

  /// Sends data through and returns what came out, in pieces as the buffers allow.
  private func transfer(
    _ data: [UInt8], from write: (ArraySlice<UInt8>) -> WriteStep,
    to read: () -> (step: ReadStep, bytes: [UInt8]), carry: () -> Bool
  ) -> [UInt8] {
    var written = 0
    var result: [UInt8] = []
    while result.count < data.count {
      var moved = false
      if written < data.count, case .bytes(let count) = write(data[written...]) {
        written += count
        moved = count > 0
      }
      moved = carry() || moved
      while case (.bytes, let bytes) = read() {
        result += bytes
        moved = true
      }
      guard moved else { break }
    }
    return result
  }
}
