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
    expires: Timestamp? = nil
  ) -> RuleEntry {
    RuleEntry(
      name: Located(name, at: place(4)), action: action, callers: [Located(caller, at: place(4))], when: when,
      expires: expires.map { Located($0, at: place(4)) })
  }

  static func compile(_ rules: [RuleEntry]) -> Policy? {
    let document = PolicyDocument(
      file: "test.yaml",
      callers: [
        CallerEntry(
          name: Located("worker/{worker}", at: place(3)),
          match: [plain(.sanURI, "spiffe://test/worker/{worker}")])
      ],
      rules: rules)
    return Policy.compile([document], listeners: ["front"]).policy
  }
}
