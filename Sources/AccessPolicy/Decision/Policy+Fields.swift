extension Policy {
  /// Every field that a decision may depend on, beside the moment: two connections that are alike in these, and
  /// have no unreadable name, are judged alike at one moment.
  package var askedFields: Set<Field> {
    var fields = Set(callers.entries.flatMap(\.conditions).map(\.field))
    for rule in rules { fields.formUnion((rule.when + rule.unless).map(\.field)) }
    // Rules are found by the listener, whether a condition names it or not.
    fields.insert(.listener)
    if fields.contains(.validFor) { fields.insert(.notAfter) }
    return fields
  }
}
