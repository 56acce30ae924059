import AccessPolicy
import AuditLog
import DataPlane
import EventLoop
import GatewayConfiguration
import Glibc
import TLSEngine

/// What a new snapshot costs a worker that holds ten thousand connections: the processor time to judge all of them
/// again, and the longest turn of its loop meanwhile, which is what a byte on its way waits at most.
///
///     COUNTERSIGN_BENCHMARKS=1 swift run -c release --scratch-path .build-benchmarks ReviewBenchmark [CONNECTIONS]
@main
enum ReviewBenchmark {
  static let connections = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 10_000
  static let callers = 50
  static let rules = 1_000

  static func main() throws {
    _ = ProcessLimits.raiseDescriptorLimit()
    let crowd = try Crowd()
    try crowd.fill(connections)
    print("\(crowd.live) live connections of \(callers) certificates, \(rules) rules")
    try crowd.measure("another policy, all stay", crowd.snapshot("b", note: "b"))
    try crowd.measure("and once more", crowd.snapshot("c", note: "c"))
    try crowd.measure(
      "another CA beside, all are verified again", crowd.snapshot("d", note: "d", trusting: crowd.moreTrust))
    try crowd.measure("a rule denies all of them", crowd.snapshot("e", note: "e", denies: true))
  }
}

/// A worker with connections that have their verdict and wait for its record: all but the upstream's socket is as in
/// a relay, and half of the clients' sockets are closed, so that neither the limit of descriptors nor the kernel's of
/// sockets without an owner is met.
final class Crowd {
  private static let now = Timestamp(seconds: 1_800_000_000)
  private let authority: IssuedCertificate
  private let server: IssuedCertificate
  private let clients: [IssuedCertificate]
  let moreTrust: [UInt8]
  private let admission = Admission(limit: 100_000)
  private let worker: Worker
  private let address: NetworkAddress
  private var held: [HeldSocket] = []

  var live: Int { admission.count }

  init() throws {
    let start = Timestamp(seconds: Self.now.seconds - 86_400)
    let end = Timestamp(seconds: Self.now.seconds + 86_400 * 30)
    let authority = try ThrowawayAuthority.selfSigned(.authority("CA", notBefore: start, notAfter: end))
    let other = try ThrowawayAuthority.selfSigned(.authority("Other", notBefore: start, notAfter: end))
    self.authority = authority
    moreTrust = authority.pem + other.pem
    server = try ThrowawayAuthority.issue(
      .server("localhost", notBefore: start, notAfter: end), by: authority)
    clients = try (0..<ReviewBenchmark.callers).map { number in
      var template = CertificateTemplate.client("client", notBefore: start, notAfter: end)
      template.alternativeNames = [.uri("spiffe://acme.example/worker/w\(number)")]
      return try ThrowawayAuthority.issue(template, by: authority)
    }
    let first = try Self.snapshot("a", note: "a", Self.context(server, authority.pem), denies: false)
    worker = try Worker(
      snapshot: first,
      environment: WorkerEnvironment(
        audit: SilentLog(),
        encoder: RecordEncoder(
          observer: Observer(hostname: "bench", version: "0"), digest: { SHA256.hash($0) }),
        admission: admission, workerCount: 1,
        clock: Clock(monotonic: { MonotonicTime.now() }, wall: { Self.now }), resolveAgain: { _ in }),
      resolutions: [:])
    let socket = try ListeningSocket.listen(on: .v4(0x7f00_0001, port: 0), backlog: 64, reusePort: false)
    address = socket.localAddress() ?? .unix("")
    try worker.listen(first.listeners[0], on: socket, mode: .level, admission: Admission(limit: 100_000))
  }

  private static func context(_ server: IssuedCertificate, _ anchors: [UInt8]) throws -> ServerContext {
    try ServerContext(
      ServerContextOptions(
        identity: IdentityOptions(certificates: [server.pem], privateKeys: [server.keyPEM]),
        trust: TrustOptions(bundles: [TrustBundleFile(pem: anchors)]), listener: "front"))
  }

  /// As a reload makes it: with a TLS context of its own, whether what that trusts has changed or not.
  func snapshot(
    _ version: String, note: String, trusting anchors: [UInt8]? = nil, denies: Bool = false
  ) throws -> Snapshot {
    try Self.snapshot(
      version, note: note, Self.context(server, anchors ?? authority.pem), denies: denies)
  }

  private static func snapshot(
    _ version: String, note: String, _ tls: ServerContext, denies: Bool
  ) throws -> Snapshot {
    var text = "version: 1\ncallers:\n  - name: worker/{worker}\n"
    text += "    match: { san_uri: \"spiffe://acme.example/worker/{worker}\" }\nrules:\n"
    for number in 0..<ReviewBenchmark.rules {
      text += "  - name: r\(number)\n    action: \(number % 3 == 0 ? "log" : "allow")\n"
      text += "    callers: [worker/w\(number % ReviewBenchmark.callers)]\n"
      text += "    when: { source_ip: [127.0.0.0/8, 10.\(number % 256).0.0/16] }\n"
    }
    text += "  - name: note-\(note)\n    action: log\n"
    if denies { text += "  - name: end\n    action: deny\n" }
    let (document, problems) = PolicyReader.read(Array(text.utf8), file: "p.yaml")
    guard let document, let policy = Policy.compile([document], listeners: ["front"]).policy else {
      throw Problem(text: "\(problems)")
    }
    let listener = ListenerSnapshot(
      name: "front", address: .handedOver("front"), tls: tls,
      upstream: UpstreamSnapshot(name: "back", addresses: [.unix("/none")], connectTimeout: .seconds(5)),
      limits: Limits(handshakeTimeout: .seconds(3600)))
    return Snapshot(version: version, listeners: [listener], policy: policy, limits: Limits())
  }

  func fill(_ count: Int) throws {
    let buffers = RecordBuffers(inboundCapacity: 1 << 17, outboundCapacity: 1 << 17)
    let contexts = try clients.map { client in
      var options = TLSClientOptions()
      options.identity = IdentityOptions(certificates: [client.pem], privateKeys: [client.keyPEM])
      return try TLSClientContext(options)
    }
    for number in 0..<count {
      let session = try TLSClientSession(contexts[number % contexts.count], buffers: buffers)
      let socket = try StreamSocket.connect(to: address)
      try handshake(session, socket, buffers)
      worker.turn(waitLimit: 0)
      if number % 2 == 0 { held.append(HeldSocket(socket)) } else { socket.close() }
    }
    for _ in 0..<100 { worker.turn(waitLimit: 0) }
  }

  private func handshake(
    _ session: TLSClientSession, _ socket: borrowing StreamSocket, _ buffers: RecordBuffers
  ) throws {
    while true {
      let step = session.handshake(now: Self.now)
      _ = unsafe socket.send(buffers.outbound)
      buffers.clearOutbound()
      switch step {
      case .complete: return
      case .failed(let failure): throw Problem(text: failure.message)
      case .incomplete: break
      }
      worker.turn(waitLimit: 0)
      if case .bytes(let received) = unsafe socket.receive(into: buffers.inboundSpace) {
        buffers.received(received)
      }
    }
  }

  func measure(_ what: String, _ snapshot: Snapshot) throws {
    let before = live
    worker.mailbox.post(.adopt(SnapshotChange(snapshot: snapshot, kept: ["front"])))
    let begun = processorTime()
    var turns = 0
    var longest: Int64 = 0
    repeat {
      let start = processorTime()
      worker.turn(waitLimit: 0)
      longest = max(longest, processorTime() - start)
      turns += 1
    } while worker.isReviewing
    let spent = processorTime() - begun
    print(
      "\(what): \(spent / 1000) µs for \(before) connections in \(turns) turns, the longest \(longest / 1000) µs"
    )
  }

  /// Of this thread, in nanoseconds.
  private func processorTime() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

/// A client's socket that stays open.
final class HeldSocket {
  private var socket: StreamSocket?

  init(_ socket: consuming StreamSocket) { self.socket = consume socket }

  deinit { if let socket = socket.take() { socket.close() } }
}

struct Problem: Error { let text: String }

/// Takes records, and answers for none.
final class SilentLog: AuditSink {
  func append(_ record: EncodedRecord) {}
  func append(_ record: EncodedRecord, answering: @escaping AuditAnswer) {}
}
