package import EventLoop
package import GatewayConfiguration
import Synchronization

/// An address of an upstream has ceased to be well, or is well again.
package struct HealthChange: Sendable, Hashable {
  package let upstream: String
  package let address: NetworkAddress
  /// Why it is left alone; nil: it is used again.
  package let problem: String?
}

/// One address of an upstream, as all workers share it.
package final class UpstreamEndpoint: Sendable {
  package let address: NetworkAddress
  private let live = Atomic<Int>(0)
  fileprivate let health = Mutex(EndpointHealth())

  init(_ address: NetworkAddress) { self.address = address }

  /// Connections of clients that go there or are being dialled.
  package var count: Int { live.load(ordering: .relaxed) }

  func enter() { live.add(1, ordering: .relaxed) }
  func leave() { live.subtract(1, ordering: .relaxed) }
}

/// An address that a connection may dial.
package struct UpstreamCandidate: Sendable {
  package let target: UpstreamTarget
  package let endpoint: UpstreamEndpoint
}

/// The addresses of one upstream with their live connections and their health, shared by all workers: a balance
/// that each worker kept for itself would not be one. A worker asks once per connection.
package final class UpstreamPool: Sendable {
  private let name: String
  private let report: @Sendable (HealthChange) -> Void
  /// Connections so far: whose turn it is among equals.
  private let turns = Atomic<UInt>(0)
  private let endpoints = Mutex<[NetworkAddress: UpstreamEndpoint]>([:])

  init(name: String, report: @escaping @Sendable (HealthChange) -> Void) {
    self.name = name
    self.report = report
  }

  /// The order in which one new connection tries the addresses.
  package func candidates(
    _ targets: [UpstreamTarget], _ balance: Upstream.Balance, at now: MonotonicTime
  ) -> [UpstreamCandidate] {
    let found = endpoints(for: targets)
    let turn = turns.wrappingAdd(1, ordering: .relaxed).oldValue
    // One connection tries one address again: the second would be tried only where the first fails.
    var mayTry = true
    let entries = found.map { endpoint in
      let standing = endpoint.health.withLock { $0.standing(at: now, mayTry: mayTry) }
      if standing == .trial { mayTry = false }
      return CandidateOrder.Entry(live: endpoint.count, standing: standing, family: endpoint.address.family)
    }
    return CandidateOrder.order(entries, balance, turn: turn).map {
      UpstreamCandidate(target: targets[$0], endpoint: found[$0])
    }
  }

  /// The one address that will do, however it is.
  func candidate(_ target: UpstreamTarget) -> UpstreamCandidate {
    let endpoint = endpoints.withLock { $0[target.address] }
    return UpstreamCandidate(target: target, endpoint: endpoint ?? UpstreamEndpoint(target.address))
  }

  private func endpoints(for targets: [UpstreamTarget]) -> [UpstreamEndpoint] {
    endpoints.withLock { endpoints in
      var isNew = false
      let found = targets.map { target in
        if let known = endpoints[target.address] { return known }
        let made = UpstreamEndpoint(target.address)
        endpoints[target.address] = made
        isNew = true
        return made
      }
      // Addresses go as names resolve anew: one that nobody uses is forgotten when another one comes.
      if isNew, endpoints.count > found.count {
        let present = Set(targets.map(\.address))
        endpoints = endpoints.filter { present.contains($0.key) || $0.value.count > 0 }
      }
      return found
    }
  }

  // MARK: Health

  /// A dial failed.
  package func failed(
    _ endpoint: UpstreamEndpoint, _ stage: EndpointHealth.Stage, _ problem: String, at now: MonotonicTime
  ) {
    change(endpoint, problem) { $0.failed(stage, at: now) }
  }

  /// A connection serves its client.
  package func succeeded(_ endpoint: UpstreamEndpoint) { change(endpoint, nil) { $0.succeeded() } }

  /// A probe of an address has ended.
  /// - Parameter problem: nil where it was answered as it should be.
  package func probed(_ target: UpstreamTarget, _ problem: String?, at now: MonotonicTime) {
    // Addresses that no connection has asked for yet are known from their first probe on.
    let endpoint = endpoints.withLock { endpoints in
      let endpoint = endpoints[target.address] ?? UpstreamEndpoint(target.address)
      endpoints[target.address] = endpoint
      return endpoint
    }
    change(endpoint, problem) { problem == nil ? $0.probeSucceeded() : $0.probeFailed(at: now) }
  }

  /// Nobody probes the addresses any more.
  package func forgetProbes() {
    for endpoint in endpoints.withLock({ Array($0.values) }) {
      change(endpoint, nil) { $0.forgetProbe() }
    }
  }

  private func change(
    _ endpoint: UpstreamEndpoint, _ problem: String?, _ body: (inout EndpointHealth) -> Void
  ) {
    let (before, after) = endpoint.health.withLock { health in
      let before = health.isWell
      body(&health)
      return (before, health.isWell)
    }
    guard before != after else { return }
    report(HealthChange(upstream: name, address: endpoint.address, problem: after ? nil : problem))
  }
}

/// The pools of all upstreams, by name: those of a name are one, whichever listener leads there.
package final class UpstreamPools: Sendable {
  private let pools = Mutex<[String: UpstreamPool]>([:])
  private let report: @Sendable (HealthChange) -> Void

  /// - Parameter report: hears of every change, on the thread that met it; must not block.
  package init(report: @escaping @Sendable (HealthChange) -> Void = { _ in }) { self.report = report }

  /// Forgets the upstreams that are there no more; connections to them keep what they need.
  package func keep(_ upstreams: Set<String>) {
    pools.withLock { $0 = $0.filter { upstreams.contains($0.key) } }
  }

  package func pool(of upstream: String) -> UpstreamPool {
    pools.withLock { pools in
      let pool = pools[upstream] ?? UpstreamPool(name: upstream, report: report)
      pools[upstream] = pool
      return pool
    }
  }
}
