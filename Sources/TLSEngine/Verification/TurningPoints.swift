import AccessPolicy
import COpenSSL

/// The moments at which a verdict may change by time alone.
///
/// Among several certificates that would do as an issuer, OpenSSL takes one that is valid at the time: which one
/// changes when one of them begins or ends, whether it is in the chain that was built or not.
struct TurningPoints: Sendable {
  /// Of what is loaded, in order.
  private let loaded: [Int64]

  /// - Parameter lists: CRLs that begin or become too old may change the verdict, in whichever order.
  init(anchors: [Certificate], lists: [RevocationList]) {
    let certificates = anchors.flatMap { unsafe Self.moments(of: $0.pointer) }
    let revocations = lists.flatMap { list in
      [list.thisUpdate.seconds] + (list.nextUpdate.map { [$0.seconds, $0.seconds + 1] } ?? [])
    }
    loaded = (certificates + revocations).sorted()
  }

  /// The longest run of seconds around `now` without a turn.
  /// - Parameter presented: `STACK_OF(X509)`; lent.
  func span(around now: Int64, presented: OpaquePointer?) -> Range<Int64> {
    let next = firstAfter(now)
    var lower = next > 0 ? loaded[next - 1] : .min
    var upper = next < loaded.count ? loaded[next] : .max
    let count = unsafe presented.map { unsafe shim_sk_X509_num($0) } ?? 0
    for index in 0..<max(0, count) {
      guard let certificate = unsafe shim_sk_X509_value(presented, index) else { continue }
      for moment in unsafe Self.moments(of: certificate) {
        if moment > now { upper = min(upper, moment) } else { lower = max(lower, moment) }
      }
    }
    return lower..<upper
  }

  private func firstAfter(_ now: Int64) -> Int {
    var (low, high) = (0, loaded.count)
    while low < high {
      let middle = low + (high - low) / 2
      if loaded[middle] > now { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// The last second counts twice: X509_cmp_time(3) ends a certificate at its beginning, we at its end.
  private static func moments(of certificate: OpaquePointer) -> [Int64] {
    let begin = unsafe CertificateTime.seconds(X509_get0_notBefore(certificate))
    let end = unsafe CertificateTime.seconds(X509_get0_notAfter(certificate))
    return [begin, end, end.map { $0 + 1 }].compactMap { $0 }
  }
}
