import AccessPolicy

/// A small policy: callers by SPIFFE ID, of which `orders` may come in.
enum TestPolicy {
  private static func place(_ line: Int) -> SourceLocation { SourceLocation(file: "test.yaml", line: line) }

  static func plain(_ field: Field, _ value: String) -> Condition {
    Condition(
      field: field, alternatives: [Located(.plain(value), at: place(1))], location: place(1))
  }

  static let allowOrders = RuleEntry(
    name: Located("orders-may", at: place(2)), action: .allow,
    callers: [Located("worker/orders", at: place(2))])

  static func rule(
    _ name: String, _ action: RuleEntry.Action, _ caller: String, when: [Condition] = [],
    listeners: [String]? = nil, expires: Timestamp? = nil
  ) -> RuleEntry {
    RuleEntry(
      name: Located(name, at: place(4)), action: action, callers: [Located(caller, at: place(4))],
      listeners: listeners.map { $0.map { Located($0, at: place(4)) } }, when: when,
      expires: expires.map { Located($0, at: place(4)) })
  }

  private static let worker = plain(.sanURI, "spiffe://test/worker/{worker}")

  static let workers = [CallerEntry(name: Located("worker/{worker}", at: place(3)), match: [worker])]

  /// Callers that are others from ten minutes after the tests' hour on.
  static let earlyAndLate = [("early", nil, 490), ("late", 490, nil)].map {
    (name, after: Int?, before: Int?) in
    let window = TimeWindow(after: after, before: before, days: [], zone: "UTC")
    let time = Condition(
      field: .time, alternatives: [Located(.window(window), at: place(4))], location: place(4))
    return CallerEntry(name: Located("\(name)/{worker}", at: place(4)), match: [worker, time])
  }

  static func compile(_ rules: [RuleEntry], callers: [CallerEntry] = workers) -> Policy? {
    let document = PolicyDocument(file: "test.yaml", callers: callers, rules: rules)
    return Policy.compile([document], listeners: ["front"]).policy
  }
}
