extension Policy {
  static func askedFields(_ callers: CallerMap, _ rules: [CompiledRule]) -> Set<Field> {
    var fields = Set(callers.entries.flatMap(\.conditions).map(\.field))
    for rule in rules { fields.formUnion((rule.when + rule.unless).map(\.field)) }
    // Rules are found by the listener, whether a condition names it or not.
    fields.insert(.listener)
    if fields.contains(.validFor) { fields.insert(.notAfter) }
    return fields
  }
}
