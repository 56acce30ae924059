import DataPlane
import EventLoop
import GatewayConfiguration
import Synchronization

/// The listeners that are open. Says what of them a new configuration keeps, and holds what all workers share of
/// one: its limit, and the file of its Unix socket.
final class ListenerBoard: Sendable {
  /// What becomes of the listeners under a new configuration.
  struct Plan {
    /// Names of those that keep their sockets.
    var kept: Set<String> = []
    var opened: [OpenedListener] = []
    /// Files whose mode or owner becomes another one, with what it was.
    fileprivate var granted: [(file: UnixSocketFile, access: UnixSocketAccess, before: UnixSocketAccess)] = []
  }

  private struct Entry: Sendable {
    var address: ListenAddress
    var bound: [NetworkAddress]
    var admission: Admission
    var file: UnixSocketFile?
  }

  private struct State: Sendable {
    var entries: [String: Entry] = [:]
    /// As the configuration has them.
    var order: [String] = []
    var isDraining = false
  }

  private let state = Mutex(State())
  private let opening: ListenerOpening

  init(_ opening: ListenerOpening) { self.opening = opening }

  /// The addresses as bound, by the names of their listeners.
  var bound: [(name: String, address: NetworkAddress)] {
    state.withLock { state in
      state.order.flatMap { name in (state.entries[name]?.bound ?? []).map { (name, $0) } }
    }
  }

  var isDraining: Bool { state.withLock { $0.isDraining } }

  /// What to say of sockets that a service manager handed over and no listener of `names` takes.
  func warning(unlessNamedBy names: Set<String>) -> String? {
    opening.handedOver.warning(unlessNamedBy: names)
  }

  // MARK: Before it is decided

  /// Opens what is new. Nothing that serves is touched; what is planned is either carried out or abandoned.
  func plan(_ listeners: [ListenerSnapshot]) throws(ListenError) -> Plan {
    let (entries, isDraining) = state.withLock { ($0.entries, $0.isDraining) }
    // Who drains takes nobody in any more.
    if isDraining { return Plan() }
    var plan = Plan()
    var new: [ListenerSnapshot] = []
    for listener in listeners {
      guard let entry = entries[listener.name], entry.address.hasSocket(of: listener.address) else {
        new.append(listener)
        continue
      }
      plan.kept.insert(listener.name)
      if let file = entry.file, case .opened(_, let before) = entry.address,
        case .opened(_, let access) = listener.address, access != before
      {
        plan.granted.append((file, access, before))
      }
    }
    let own = entries.values.flatMap(\.bound)
    for listener in new where !listener.address.meets(own) { try ListenerOpening.check(listener) }
    plan.opened = try opening.open(new)
    try grant(plan, listeners)
    return plan
  }

  private func grant(_ plan: Plan, _ listeners: [ListenerSnapshot]) throws(ListenError) {
    for (index, change) in plan.granted.enumerated() {
      do throws(SystemError) {
        try change.file.grant(change.access)
      } catch {
        revert(plan.granted[...index])
        for opened in plan.opened { opened.abandon() }
        let listener = listeners.first { $0.address == .opened(.unix(change.file.path), change.access) }
        throw ListenError(
          listener: listener?.name ?? "", address: .opened(.unix(change.file.path), change.access),
          error: error)
      }
    }
  }

  private func revert(
    _ granted: ArraySlice<(file: UnixSocketFile, access: UnixSocketAccess, before: UnixSocketAccess)>
  ) {
    // What was ours to give away is ours to take back; where it is not, the new mode or owner stays.
    for change in granted { try? change.file.grant(change.before) }
  }

  // MARK: Carrying it out

  /// Enters what was opened, removes the files of what is gone, and lets the limits hold.
  /// - Returns: the limit of each listener by its name.
  func carryOut(_ plan: Plan, _ listeners: [ListenerSnapshot], maxConnections: Int) -> [String: Admission] {
    let opened = Dictionary(uniqueKeysWithValues: plan.opened.map { ($0.listener.name, $0) })
    return state.withLock { state in
      guard !state.isDraining else {
        for each in plan.opened { each.abandon() }
        return [:]
      }
      var entries: [String: Entry] = [:]
      for listener in listeners {
        let before = state.entries[listener.name]
        let admission = before?.admission ?? Admission(limit: 0)
        admission.limit = listener.limits.maxConnections ?? maxConnections
        let new = opened[listener.name]
        entries[listener.name] = Entry(
          address: listener.address, bound: new?.bound ?? before?.bound ?? [], admission: admission,
          file: new == nil ? before?.file : new?.file)
      }
      for (name, entry) in state.entries where !plan.kept.contains(name) { entry.file?.remove() }
      state.entries = entries
      state.order = listeners.map(\.name)
      return entries.mapValues(\.admission)
    }
  }

  /// Nobody is taken in any more: a successor finds either a socket that still listens or no file.
  func drain() {
    state.withLock { state in
      state.isDraining = true
      for entry in state.entries.values { entry.file?.remove() }
    }
  }
}

extension ListenAddress {
  /// Whether the socket of this address serves the other one; who may connect to its file can be changed.
  fileprivate func hasSocket(of other: ListenAddress) -> Bool {
    switch (self, other) {
    case (.opened(let mine, _), .opened(let others, _)): mine == others
    case (.handedOver(let mine), .handedOver(let others)): mine == others
    case (.opened, .handedOver), (.handedOver, .opened): false
    }
  }

  /// Whether a socket of ours may stand in its way until it is closed: then nobody else can have the port, but a
  /// question for it would be answered so.
  fileprivate func meets(_ own: [NetworkAddress]) -> Bool {
    guard case .opened(let address, _) = self, let port = address.port else { return false }
    return own.contains { $0.port == port }
  }
}
