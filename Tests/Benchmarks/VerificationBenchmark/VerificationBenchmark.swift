import AccessPolicy
import Foundation
import TLSEngine

/// What CRLs of a million entries cost, and what chains cost that are made to cost much.
///
///     COUNTERSIGN_BENCHMARKS=1 swift run -c release --scratch-path .build-benchmarks VerificationBenchmark
@main
enum VerificationBenchmark {
  static let now = Timestamp(seconds: 1_780_272_000)
  static let day: Int64 = 86_400
  static let start = Timestamp(seconds: now.seconds - 30 * day)
  static let end = Timestamp(seconds: now.seconds + 30 * day)
  static let clock = ContinuousClock()

  static func main() throws {
    try revocation(entries: 1_000_000)
    for (name, make) in HostileChains.all {
      do { try judge(name, make()) } catch { print("\(name): cannot be made: \(error)") }
    }
  }

  private static func revocation(entries count: Int) throws {
    let root = try ThrowawayAuthority.selfSigned(.authority("Root", notBefore: start, notAfter: end))
    let leaf = try ThrowawayAuthority.issue(
      .client("worker", notBefore: start, notAfter: end), by: root)
    var template = RevocationTemplate(thisUpdate: start, nextUpdate: end)
    template.entries = (0..<count).map { _ in
      RevokedEntry([0x40] + (0..<15).map { _ in UInt8.random(in: 0...255) }, reason: 1)
    }
    let crl = try ThrowawayAuthority.revoke(template, by: root)
    template.entries = []
    let before = residentBytes()
    var verifiers: [ChainVerifier] = []
    let loading = try clock.measure { verifiers.append(try verifier(root, [crl])) }
    let after = residentBytes()
    print("a CRL of \(count) entries, \(crl.count >> 20) MiB: loaded in \(loading),")
    print(
      "  resident memory \(before >> 20) MiB before, \(after >> 20) MiB after, at most \(peakBytes() >> 20) MiB"
    )
    let chain = PresentedChain(leaf: leaf.certificate)
    let plain = try verifier(root, [])
    report("a chain without a CRL", repeated(2000) { _ = plain.verify(chain, at: now) })
    report("the same with it", repeated(2000) { _ = verifiers[0].verify(chain, at: now) })
  }

  private static func verifier(_ root: IssuedCertificate, _ crls: [[UInt8]]) throws -> ChainVerifier {
    try ChainVerifier(
      TrustOptions(bundles: [TrustBundleFile(pem: root.pem)], revocation: RevocationOptions(crls: crls)))
  }

  /// Everything that a worker does with what a client sends: parse, facts, verification.
  private static func judge(_ name: String, _ made: HostileChains.Made) throws {
    let verifier = try verifier(made.anchor, [])
    let pem = made.presented.flatMap(\.pem)
    var outcome = "none"
    // The least of several: what the work takes, not what else the machine did.
    let once = (0..<5).map { _ in clock.measure { outcome = judged(pem, verifier) } }.min() ?? .zero
    let bytes = made.presented.reduce(0) { $0 + $1.der.count }
    print("\(name): \(once) (\(made.presented.count) certificates, \(bytes) bytes; \(outcome))")
  }

  private static func judged(_ pem: [UInt8], _ verifier: ChainVerifier) -> String {
    switch PresentedChain.read(pem: pem) {
    case .chain(let chain):
      _ = chain.facts
      let result = verifier.verify(chain, at: now)
      return result.failure.map { "\($0.code ?? $0.reason.rawValue): \($0.message)" } ?? "verified"
    case .refused(let failure): return "\(failure.code ?? failure.reason.rawValue): \(failure.message)"
    case .noCertificate: return "no certificate"
    }
  }

  private static func repeated(_ count: Int, _ body: () -> Void) -> Duration {
    clock.measure { for _ in 0..<count { body() } } / count
  }

  private static func report(_ name: String, _ each: Duration) { print("  \(name): \(each)") }

  private static func residentBytes() -> Int { status("VmRSS") }
  private static func peakBytes() -> Int { status("VmHWM") }

  private static func status(_ key: String) -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix(key) }
    return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) << 10
  }
}
