import AccessPolicy
import AuditLog
import ControlPlane
import EventLoop
import Foundation
import GatewayConfiguration
import TLSEngine
import Workbench

/// How many records a second `replay` judges, and how much memory it takes for a log of any length.
///
///     COUNTERSIGN_BENCHMARKS=1 swift run -c release --scratch-path .build-benchmarks ReplayBenchmark [RECORDS]
@main
enum ReplayBenchmark {
  static let callers = 2000
  static let start: Int64 = 1_800_000_000

  static func main() throws {
    let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 1_000_000
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("replay-\(getpid()).log").path
    defer { _ = unsafe unlink(path) }
    guard let old = policy(denying: "none"), let new = policy(denying: "worker/w7") else {
      return print("the policies have errors")
    }
    let size = try write(count, to: path, old)
    print("\(count) records of \(callers) callers, \(size / 1_000_000) MB")
    for (name, policy) in [("no verdict changes", old), ("one caller is denied", new)] {
      try replay(path, policy, name)
    }
    try replay(path, policy(denying: "none", time: true) ?? old, "with a time window")
    print("peak resident memory: \(peak() / 1024) MB")
  }

  private static func policy(denying name: String, time: Bool = false) -> Policy? {
    let window =
      time ? "    when: { time: { after: \"08:00\", before: \"18:00\", zone: Europe/Madrid } }\n" : ""
    let text = """
      version: 1
      callers:
        - name: worker/{worker}
          groups: [workers]
          match: { san_uri: "spiffe://acme.example/worker/{worker}" }
      rules:
        - name: workers
          action: allow
          callers: ["group:workers"]
          listeners: [orders-db]
      \(window)  - name: not-these
          action: deny
          callers: ["\(name)"]

      """
    guard let document = PolicyReader.read(Array(text.utf8), file: "p.yaml").document else { return nil }
    return Policy.compile([document], listeners: nil).policy
  }

  /// Each allowed connection with its end, as a gateway writes them.
  private static func write(_ count: Int, to path: String, _ policy: Policy) throws -> Int {
    _ = FileManager.default.createFile(atPath: path, contents: nil)
    guard let file = FileHandle(forWritingAtPath: path) else { return 0 }
    let digest: Digest = { SHA256.hash($0) }
    let encoder = RecordEncoder(observer: Observer(hostname: "gate-1", version: "0.1.0"), digest: digest)
    var chain = RecordChain(at: .genesis(uid: 1), digest: digest)
    var batch: [UInt8] = []
    var size = 0
    for number in 0..<(count / 2) {
      let time = Timestamp(nanoseconds: start * 1_000_000_000 + Int64(number) * 1_234_567)
      let facts = facts(number)
      let judged = JudgedConnection(
        context: ConnectionContext(
          id: String(number, radix: 16), start: time, listener: "orders-db", upstream: "orders", facts: facts),
        decision: policy.decide(facts, at: time), destination: AuditDestination(address: "127.0.0.1:5432"),
        policyVersion: String(repeating: "ab", count: 32))
      let ending = AuditEvent.Ending(
        by: .client, bytesFromClient: 1, bytesFromUpstream: 2, duration: .seconds(1))
      let events: [AuditEvent] = [
        .decision(judged),
        .connectionClosed(.init(connection: judged, reason: .clientClosed, ending: ending)),
      ]
      for event in events {
        batch += chain.seal(encoder.encode(event, id: UInt128(number), at: time)) + [0x0a]
      }
      if batch.count > 1 << 22 {
        try file.write(contentsOf: batch)
        size += batch.count
        batch = []
      }
    }
    try file.write(contentsOf: batch)
    return size + batch.count
  }

  private static func facts(_ number: Int) -> Facts {
    let who = number &* 7919 % callers
    let hash = String(repeating: "0", count: 60) + String(1000 + who)
    let name = "CN=w\(who),OU=workers,O=Acme"
    var facts = Facts()
    facts[.sanURI] = .texts(["spiffe://acme.example/worker/w\(who)"])
    (facts[.subjectDN], facts[.subjectCN]) = (.text(name), .texts(["w\(who)"]))
    (facts[.subjectOU], facts[.subjectO]) = (.texts(["workers"]), .texts(["Acme"]))
    (facts[.issuerDN], facts[.issuerCN]) = (.text("CN=Acme CA"), .texts(["Acme CA"]))
    (facts[.sha256], facts[.spkiSHA256], facts[.rootSHA256]) = (.text(hash), .text(hash), .text(hash))
    (facts[.serial], facts[.ski], facts[.issuerSKI]) = (.text("0a\(1000 + who)"), .text("ab"), .text("cd"))
    (facts[.eku], facts[.keyType], facts[.keyBits]) = (.texts(["clientAuth"]), .text("EC"), .integer(256))
    facts[.notBefore] = .instant(Timestamp(seconds: start - 86_400))
    facts[.notAfter] = .instant(Timestamp(seconds: start + 86_400 * Int64(1 + who % 30)))
    (facts[.chainLength], facts[.resumed], facts[.tlsVersion]) = (.integer(2), .flag(false), .text("1.3"))
    (facts[.tlsCipher], facts[.tlsGroup]) = (.text("TLS_AES_128_GCM_SHA256"), .text("X25519"))
    (facts[.serverName], facts[.alpn]) = (.text("db.acme.example"), .text("postgresql"))
    let source = FactValue.address(IPAddress(v4: 0x0a00_0000 | UInt32(who)))
    (facts[.sourceIP], facts[.clientIP]) = (source, source)
    (facts[.sourcePort], facts[.clientPort]) = (
      .integer(1024 + number % 60_000), .integer(1024 + number % 60_000)
    )
    (facts[.listener], facts[.upstream], facts[.protocol]) = (
      .text("orders-db"), .text("orders"), .text("tcp")
    )
    return facts
  }

  private static func replay(_ path: String, _ policy: Policy, _ name: String) throws {
    var replay = Replay(policy: policy)
    var number = 0
    var size = 0
    let before = processorTime()
    let time = try ContinuousClock().measure {
      var reader = try LineReader(path)
      try reader.forEachLine { line in
        number += 1
        if case .whole(let bytes, _) = line {
          size += bytes.count
          replay.feed(bytes, at: LinePlace(file: path, line: number))
        }
        return true
      }
    }
    let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
    print(
      "\(name): \(Int(Double(number) / (processorTime() - before))) records/s of a core, "
        + "\(Int(Double(number) / seconds)) records/s, \(Int(Double(size) / seconds / 1e6)) MB/s, "
        + "\(replay.report.decisions) verdicts, \(replay.report.changed) changed")
  }

  /// In seconds: a machine with other work to do has fewer of them than the wall clock.
  private static func processorTime() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }

  /// In KiB (getrusage(2)).
  private static func peak() -> Int {
    var usage = rusage()
    guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
    return usage.ru_maxrss
  }
}
