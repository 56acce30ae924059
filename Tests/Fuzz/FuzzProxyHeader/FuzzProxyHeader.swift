import DataPlane
import EventLoop
import FuzzSupport

/// Any bytes as a PROXY header: refused, waited for, or read in one way alone, wherever they were cut.
@main
enum FuzzProxyHeader {
  static func main() {
    runFuzzer { input in
      let whole = ProxyHeader.parse(input.span)
      for cut in cuts(input.count) { check(whole, prefix: Array(input.prefix(cut))) }
      guard case .complete(let header, let length) = whole else { return }
      Invariant.hold(
        (1...ProxyHeader.maxLength).contains(length) && length <= input.count, "a length of \(length)")
      if let claim = header.claim { checkOutbound(claim) }
    }
  }
}

/// Where an input is cut: everywhere near its start, and at some places behind.
private func cuts(_ count: Int) -> [Int] { (0..<count).filter { $0 < 64 || $0 % 997 == 0 } }

/// What a beginning of the input says, the whole must not take back.
private func check(_ whole: WireStep<ProxyHeader>, prefix: [UInt8]) {
  switch (ProxyHeader.parse(prefix.span), whole) {
  case (.incomplete, _): break
  case (.invalid(let problem), .invalid): Invariant.hold(!problem.isEmpty, "a problem without words")
  case (.complete(let early, let length), .complete(let late, let lateLength)):
    Invariant.hold(early == late && length == lateLength, "\(early) became \(late)")
  case (.invalid, _), (.complete, _): Invariant.hold(false, "more bytes turned the verdict on \(prefix)")
  }
}

/// What was claimed can be claimed by the gateway, and is read back.
private func checkOutbound(_ claim: ProxyHeader.Claim) {
  let isInternet = claim.source.port != nil
  for bytes in [
    ProxyHeader.v1(source: claim.source, destination: claim.destination),
    ProxyHeader.v2(source: claim.source, destination: claim.destination, caller: "worker/a") ?? [],
  ] {
    guard case .complete(let again, bytes.count) = ProxyHeader.parse(bytes.span) else {
      Invariant.hold(false, "\(bytes) cannot be read back")
      return
    }
    Invariant.hold(
      again.claim == (isInternet ? claim : nil), "\(claim) became \(String(describing: again.claim))")
  }
}
