import AccessPolicy
import Foundation
import TLSEngine

/// What a handshake of a client costs the gateway: of an unknown one, of one whose chain is known, of one that
/// resumes a session; and what sessions cost in memory. Client and server are in one process, without a network;
/// the server's part alone is counted, from its session's beginning to its end, one byte of data included.
///
/// Tests/Benchmarks/handshakes.py builds it and runs it for all of them, under callgrind too.
@main
enum HandshakeBenchmark {
  enum Kind: String, CaseIterable {
    /// Neither cache nor resumption.
    case plain
    /// A certificate that was never seen.
    case unknown
    case known
    case resumed
  }

  static let now = Timestamp(seconds: 1_800_000_000)

  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst()
    guard let word = arguments.first else {
      return print("which? plain, unknown, known, resumed, memory, idle-plain, idle, sessions")
    }
    let count = arguments.dropFirst().first.flatMap { Int($0) } ?? 300
    let world = try World()
    switch word {
    case "memory": try world.memory(count)
    case "idle-plain": try world.idle(count, resumes: false)
    case "idle": try world.idle(count, resumes: true)
    case "sessions": try world.sessions(count)
    default:
      guard let kind = Kind(rawValue: word) else { return print("no such kind: \(word)") }
      for _ in 0..<5 { try world.connect(kind, isMeasured: false) }
      let begun = clock()
      let before = world.serverTime
      for _ in 0..<count { try world.connect(kind, isMeasured: true) }
      let spent = Double(world.serverTime - before) / Double(count) / 1000
      print("\(kind.rawValue) \(spent) us of \(Double(clock() - begun) / Double(count)) us with the client")
    }
  }
}

/// Everything within is what callgrind counts (--toggle-collect).
@inline(never)
func serving<T>(_ work: () throws -> T) rethrows -> T { try work() }

final class World {
  private let context: ServerContext
  private let plainContext: ServerContext
  private let client: TLSClientContext
  private var cache: HandshakeCache
  private let serverBuffers = RecordBuffers(inboundCapacity: 65_536, outboundCapacity: 65_536)
  private let clientBuffers = RecordBuffers(inboundCapacity: 65_536, outboundCapacity: 65_536)
  private var last: TLSClientSession?
  /// Nanoseconds of this thread within the server's part.
  private(set) var serverTime: UInt64 = 0

  init() throws {
    let (begin, end) = (Timestamp(seconds: 1_700_000_000), Timestamp(seconds: 1_900_000_000))
    let authority = try ThrowawayAuthority.selfSigned(.authority("CA", notBefore: begin, notAfter: end))
    let server = try ThrowawayAuthority.issue(
      .server("db.example", notBefore: begin, notAfter: end), by: authority)
    let worker = try ThrowawayAuthority.issue(
      .client("worker", notBefore: begin, notAfter: end), by: authority)
    func make(_ resumes: Bool) throws -> ServerContext {
      try ServerContext(
        ServerContextOptions(
          identity: IdentityOptions(certificates: [server.pem], privateKeys: [server.keyPEM]),
          trust: TrustOptions(bundles: [TrustBundleFile(pem: authority.pem)]), resumes: resumes,
          listener: "benchmark"))
    }
    context = try make(true)
    plainContext = try make(false)
    var options = TLSClientOptions()
    options.identity = IdentityOptions(certificates: [worker.pem], privateKeys: [worker.keyPEM])
    options.serverName = "db.example"
    client = try TLSClientContext(options)
    var bounds = HandshakeCache.Bounds()
    bounds.sessionsOfClient = 2048
    cache = HandshakeCache(bounds)
  }

  private func served<T>(_ isMeasured: Bool, _ work: () throws -> T) rethrows -> T {
    let begun = threadTime()
    defer { serverTime += threadTime() - begun }
    return isMeasured ? try serving(work) : try work()
  }

  /// One connection, from its first byte to its end.
  func connect(_ kind: HandshakeBenchmark.Kind, isMeasured: Bool) throws {
    if kind == .unknown { cache = HandshakeCache() }
    let cache = kind == .plain ? nil : cache
    var server: TLSSession? = try served(isMeasured) {
      try TLSSession(kind == .plain ? plainContext : context, buffers: serverBuffers, cache: cache)
    }
    let client = try talk(&server, resuming: kind == .resumed, isMeasured)
    guard (server?.facts[.resumed] == .flag(true)) == (kind == .resumed) || !isMeasured else {
      throw Failure(what: "resumed where it should not be, or not where it should")
    }
    client.sendCloseNotify()
    clientBuffers.clearOutbound()
    served(isMeasured) {
      server?.sendCloseNotify()
      server = nil
    }
    serverBuffers.clearOutbound()
    last = client
  }

  private func talk(_ server: inout TLSSession?, resuming: Bool, _ isMeasured: Bool) throws
    -> TLSClientSession
  {
    let client = try TLSClientSession(client, buffers: clientBuffers)
    if resuming, let last { _ = client.resume(last) }
    var isDone = false
    for _ in 0..<10 where !isDone {
      _ = client.handshake(now: HandshakeBenchmark.now)
      carry(clientBuffers, serverBuffers)
      let step = served(isMeasured) { server?.handshake(now: HandshakeBenchmark.now) }
      if case .failed(let failure)? = step { throw Failure(what: failure.message) }
      if case .complete? = step { isDone = true }
      carry(serverBuffers, clientBuffers)
    }
    served(isMeasured) {
      _ = server?.facts
      _ = unsafe [UInt8(1)].withUnsafeBytes { unsafe server?.write($0) }
    }
    carry(serverBuffers, clientBuffers)
    var byte: [UInt8] = [0]
    guard unsafe byte.withUnsafeMutableBytes({ unsafe client.read(into: $0) }) == .bytes(1) else {
      throw Failure(what: "the byte did not arrive")
    }
    return client
  }

  private func carry(_ from: RecordBuffers, _ to: RecordBuffers) {
    let bytes = unsafe from.outbound
    unsafe to.inboundSpace.copyMemory(from: bytes)
    unsafe to.received(bytes.count)
    from.clearOutbound()
  }

  /// What `count` resumptions leave behind.
  func memory(_ count: Int) throws {
    for _ in 0..<1000 { try connect(.resumed, isMeasured: false) }
    let before = resident()
    for _ in 0..<count { try connect(.resumed, isMeasured: true) }
    print(
      "\(count) resumptions: \((resident() - before) / 1024) KiB more, \(cache.sessionCount) sessions kept")
  }

  /// What an idle connection costs. One kind a process: memory that was given back would serve the next.
  func idle(_ count: Int, resumes: Bool) throws {
    var kept: [TLSSession] = []
    func fill(_ count: Int) throws {
      for _ in 0..<count {
        var server: TLSSession? = try TLSSession(
          resumes ? context : plainContext, buffers: serverBuffers, cache: cache)
        _ = try talk(&server, resuming: false, false)
        if let server { kept.append(server) }
      }
    }
    try fill(50)
    let before = resident()
    try fill(count)
    let name = resumes ? "with resumption" : "without"
    print("\((resident() - before) / count) bytes for each of \(count) idle connections, \(name)")
  }

  /// What a session costs whose connection is gone.
  func sessions(_ count: Int) throws {
    for _ in 0..<50 { try connect(.known, isMeasured: false) }
    let before = resident()
    for _ in 0..<count { try connect(.known, isMeasured: false) }
    print("\((resident() - before) / count) bytes for each of \(count) sessions kept")
  }
}

struct Failure: Error {
  var what: String
}

/// Of this thread, in nanoseconds.
private func threadTime() -> UInt64 {
  var time = timespec()
  unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Resident bytes of this process.
private func resident() -> Int {
  let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
  return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
}
