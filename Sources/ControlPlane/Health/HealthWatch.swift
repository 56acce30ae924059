package import DataPlane
package import EventLoop
import GatewayConfiguration

/// Asks upstream addresses at an interval whether they are well, and tells people what has changed: off the
/// workers, which neither wait for an answer nor write to a standard error that nobody reads.
package final class HealthWatch: Sendable {
  /// What other threads tell it.
  private enum News: Sendable {
    case changed(HealthChange)
    case resolved(UpstreamAddresses.Name, Resolution)
    case follow([ProbedUpstream], [UpstreamAddresses.Name: Resolution])
    case stop
  }

  private static let newsTag: UInt64 = 0

  /// The addresses of all upstreams, for the workers; their changes come here.
  package let pools: UpstreamPools
  private let news: Mailbox<News>
  private let upstreams: [ProbedUpstream]
  private let resolutions: [UpstreamAddresses.Name: Resolution]

  /// - Throws: a ``SystemError`` where the kernel refuses an eventfd.
  package init(
    _ upstreams: [ProbedUpstream], resolutions: [UpstreamAddresses.Name: Resolution]
  ) throws(SystemError) {
    let news = try Mailbox<News>()
    self.news = news
    self.upstreams = upstreams
    self.resolutions = resolutions
    pools = UpstreamPools { news.post(.changed($0)) }
  }

  package func resolved(_ name: UpstreamAddresses.Name, _ resolution: Resolution) {
    news.post(.resolved(name, resolution))
  }

  /// Probes other upstreams from now on.
  package func follow(
    _ upstreams: [ProbedUpstream], resolutions: [UpstreamAddresses.Name: Resolution]
  ) {
    news.post(.follow(upstreams, resolutions))
  }

  package func stop() { news.post(.stop) }

  /// Probes and tells, until stopped; the body of a thread.
  /// - Parameter tell: takes a line for people.
  package func run(tell: (String) -> Void) throws(SystemError) {
    let poller = try Poller()
    try poller.add(news.descriptor, token: Self.newsTag, mode: .level)
    var names = UpstreamAddresses()
    for (name, resolution) in resolutions { names.update(name, to: resolution) }
    var round = ProbeRound(
      schedule: ProbeSchedule(upstreams, names, now: MonotonicTime.now()), pools: pools, poller: poller)
    var waiting: [News] = []
    var ready: [UInt64] = []
    var isStopped = false
    while !isStopped {
      round.begin(MonotonicTime.now())
      ready.removeAll(keepingCapacity: true)
      waiting.removeAll(keepingCapacity: true)
      let wait = round.earliest?.timeoutMilliseconds(from: MonotonicTime.now()) ?? -1
      try poller.wait(timeoutMilliseconds: wait) { tag, _ in
        if tag == Self.newsTag { news.drain(into: &waiting) } else { ready.append(tag) }
      }
      let now = MonotonicTime.now()
      for tag in ready { round.step(tag, now) }
      round.expire(now)
      for message in waiting {
        switch message {
        case .changed(let change): tell(change.line)
        case .resolved(let name, let resolution): round.schedule.update(name, to: resolution, now: now)
        case .follow(let upstreams, let resolutions): round.follow(upstreams, resolutions, now)
        case .stop: isStopped = true
        }
      }
    }
    round.abandon()
  }
}

/// The probes that are under way, by the tokens that the poller knows them by.
private struct ProbeRound {
  var schedule: ProbeSchedule
  let pools: UpstreamPools
  let poller: Poller
  private var running: [UInt64: RunningProbe] = [:]
  private var lastToken: UInt64 = 0

  init(schedule: ProbeSchedule, pools: UpstreamPools, poller: Poller) {
    self.schedule = schedule
    self.pools = pools
    self.poller = poller
  }

  /// When something has to be done without news.
  var earliest: MonotonicTime? {
    [schedule.earliest, running.values.map(\.deadline).min()].compactMap { $0 }.min()
  }

  /// Begins the probes that are due.
  mutating func begin(_ now: MonotonicTime) {
    while let (upstream, subject) = schedule.next(now) {
      // With an interval shorter than the timeout the last one may still be waiting.
      guard !running.values.contains(where: { $0.subject == subject }) else { continue }
      lastToken += 1
      do throws(SystemError) {
        running[lastToken] = try RunningProbe(
          subject, upstream.script, deadline: now + upstream.check.timeout, poller, token: lastToken)
      } catch {
        report(subject, RunningProbe.outcome(of: error), now)
      }
    }
  }

  mutating func step(_ token: UInt64, _ now: MonotonicTime) {
    guard let probe = running[token], let outcome = probe.step() else { return }
    end(token, outcome, now)
  }

  /// What probes found out of an upstream that is not probed any more, nothing would take back.
  mutating func follow(
    _ upstreams: [ProbedUpstream], _ resolutions: [UpstreamAddresses.Name: Resolution], _ now: MonotonicTime
  ) {
    for before in schedule.upstreams where !upstreams.contains(where: { $0.name == before.name }) {
      pools.pool(of: before.name).forgetProbes()
    }
    schedule.follow(upstreams, resolutions, now: now)
  }

  /// Ends those that have waited long enough.
  mutating func expire(_ now: MonotonicTime) {
    for (token, probe) in running where probe.deadline <= now { end(token, .ill(probe.silence), now) }
  }

  mutating func abandon() {
    for probe in running.values { probe.close(poller) }
    running = [:]
  }

  private mutating func end(_ token: UInt64, _ outcome: RunningProbe.Outcome, _ now: MonotonicTime) {
    guard let probe = running.removeValue(forKey: token) else { return }
    probe.close(poller)
    report(probe.subject, outcome, now)
  }

  private func report(_ subject: ProbeSubject, _ outcome: RunningProbe.Outcome, _ now: MonotonicTime) {
    // An address that its name has left meanwhile is nobody's business any more.
    guard schedule.contains(subject) else { return }
    let pool = pools.pool(of: subject.upstream)
    switch outcome {
    case .well: pool.probed(subject.target, nil, at: now)
    case .ill(let problem): pool.probed(subject.target, "probe: \(problem)", at: now)
    case .unknown: break
    }
  }
}

extension HealthChange {
  /// For people. What stands in it may come from the upstream, and must not steer their terminal.
  var line: String {
    let text =
      problem.map { "is left alone while another address will do: \($0)" } ?? "is used again"
    let visible = text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : String($0) }
    return "countersign: upstream \(upstream): \(address) " + visible.joined()
  }
}
