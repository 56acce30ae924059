package import DataPlane
import EventLoop
import GatewayConfiguration

/// An upstream whose addresses are probed.
package struct ProbedUpstream: Sendable {
  let name: String
  let addresses: [SocketAddress]
  let check: HealthCheck
  let script: ProbeScript
}

extension ProbedUpstream {
  /// The upstreams with a `health_check`, each once; the first listener that leads there with a protocol of its
  /// own says how it is spoken to.
  package static func all(of snapshot: Snapshot) -> [ProbedUpstream] {
    var found: [ProbedUpstream] = []
    let speaking = snapshot.listeners.filter { $0.wireProtocol != .tcp }
    for listener in speaking + snapshot.listeners {
      let upstream = listener.upstream
      guard let check = upstream.healthCheck, !found.contains(where: { $0.name == upstream.name }) else {
        continue
      }
      found.append(
        ProbedUpstream(
          name: upstream.name, addresses: upstream.addresses, check: check,
          script: ProbeScript(
            check.probe, listener.wireProtocol, proxyHeader: upstream.proxyHeader,
            needsTLS: upstream.tls != nil)))
    }
    return found
  }
}

/// One address of one upstream.
struct ProbeSubject: Hashable {
  let upstream: String
  let target: UpstreamTarget
}

/// Which address is probed when. Follows what names resolve to.
struct ProbeSchedule {
  private(set) var upstreams: [ProbedUpstream]
  private var names: UpstreamAddresses
  private var due: [ProbeSubject: MonotonicTime] = [:]

  init(_ upstreams: [ProbedUpstream], _ names: UpstreamAddresses, now: MonotonicTime) {
    self.upstreams = upstreams
    self.names = names
    follow(now)
  }

  /// When the next probe begins.
  var earliest: MonotonicTime? { due.values.min() }

  func contains(_ subject: ProbeSubject) -> Bool { due[subject] != nil }

  mutating func update(_ name: UpstreamAddresses.Name, to resolution: Resolution, now: MonotonicTime) {
    names.update(name, to: resolution)
    follow(now)
  }

  mutating func follow(
    _ upstreams: [ProbedUpstream], _ resolutions: [UpstreamAddresses.Name: Resolution], now: MonotonicTime
  ) {
    self.upstreams = upstreams
    for (name, resolution) in resolutions { names.update(name, to: resolution) }
    follow(now)
  }

  /// Takes one address that is due, and sets its next time.
  mutating func next(_ now: MonotonicTime) -> (ProbedUpstream, ProbeSubject)? {
    guard let (subject, time) = due.min(by: { $0.value < $1.value }), time <= now,
      let upstream = upstreams.first(where: { $0.name == subject.upstream })
    else { return nil }
    due[subject] = now + upstream.check.interval
    return (upstream, subject)
  }

  /// New addresses are probed at once; those that are gone are not any more.
  private mutating func follow(_ now: MonotonicTime) {
    var present: [ProbeSubject: MonotonicTime] = [:]
    for upstream in upstreams {
      guard case .addresses(let targets) = names.candidates(for: upstream.addresses) else { continue }
      for target in targets {
        let subject = ProbeSubject(upstream: upstream.name, target: target)
        present[subject] = due[subject] ?? now
      }
    }
    due = present
  }
}
