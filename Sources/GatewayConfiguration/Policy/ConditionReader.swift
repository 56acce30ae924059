import AccessPolicy

/// Reads `match`, `when` and `unless`: fields and the values that they are compared with.
struct ConditionReader {
  let findings: Findings

  /// - Parameter key: the key that the conditions stand under, for diagnostics.
  func read(_ node: YAMLNode, of key: String) -> [Condition] {
    guard case .mapping(let entries) = node.content else {
      findings.wrongType(node, expected: "a mapping of fields to values for \(key)")
      return []
    }
    if entries.isEmpty {
      // `match: {}` would name every certificate, `unless: {}` would switch the rule off.
      findings.error(
        at: node.mark, "empty", "\(key) has no field",
        hint: key == "match" ? "name a field" : "name a field, or remove \"\(key)\"")
    }
    return entries.compactMap(condition)
  }

  private func condition(_ entry: YAMLEntry) -> Condition? {
    guard let field = findings.field(entry) else { return nil }
    let location = entry.keyMark.location(in: findings.file)
    if case .sequence(let items) = entry.value.content {
      if items.isEmpty {
        findings.error(at: entry.value.mark, "empty", "found an empty list, expected at least one value")
      }
      return Condition(
        field: field, alternatives: items.compactMap { matcher($0, field) }, location: location)
    }
    guard let matcher = matcher(entry.value, field) else { return nil }
    return Condition(field: field, alternatives: [matcher], location: location)
  }

  private func matcher(_ node: YAMLNode, _ field: Field) -> Located<ValueMatcher>? {
    let location = node.mark.location(in: findings.file)
    if field.kind == .clock {
      return TimeWindowReader(findings: findings).read(node).map { Located(.window($0), at: location) }
    }
    if case .mapping = node.content {
      return form(node).map { Located($0, at: location) }
    }
    return findings.text(node, expected: "a value, a list of values, or a form such as {prefix: …}")
      .map { Located(.plain($0.value), at: location) }
  }

  private func form(_ node: YAMLNode) -> ValueMatcher? {
    guard case .mapping(let entries) = node.content else { return nil }
    // `{worker}` is meant as a capture: the key would be reported as an unknown form.
    if let only = entries.first, entries.count == 1, only.value.isNothing,
      !PolicySchema.matcher.names.contains(only.key)
    {
      findings.wrongType(node, expected: "a value, or a form such as {prefix: …}")
      return nil
    }
    guard let mapping = CheckedMapping(node, PolicySchema.matcher, findings) else { return nil }
    if mapping.hasUnknownKeys { return nil }
    let forms = entries.map(\.key)
    guard forms.count == 1 || Set(forms) == ["min", "max"] else {
      let found = forms.isEmpty ? "an empty matcher" : Wording.choice(forms, last: "and") + " together"
      findings.error(
        at: node.mark, "invalid-value", "found \(found), expected one form",
        hint: "only min and max go together; for \"one of several\" write a list")
      return nil
    }
    return value(of: mapping, form: forms[0])
  }

  private func value(of mapping: CheckedMapping, form: String) -> ValueMatcher? {
    if form == "min" || form == "max" { return range(mapping) }
    guard let node = mapping[form] else { return nil }
    if form == "present" { return findings.flag(node).map(ValueMatcher.present) }
    guard let text = findings.text(node, expected: "a text for \(form)")?.value else { return nil }
    switch form {
    case "glob": return .glob(text)
    case "regex": return .regex(text)
    case "prefix": return .prefix(text)
    case "suffix": return .suffix(text)
    case "cidr": return .cidr(text)
    default: return nil
    }
  }

  private func range(_ mapping: CheckedMapping) -> ValueMatcher {
    let bounds = ["min", "max"].map { key in
      mapping[key].flatMap { findings.text($0, expected: "a value for \(key)")?.value }
    }
    return .range(min: bounds[0], max: bounds[1])
  }
}

extension Findings {
  /// The field that a key names.
  func field(_ entry: YAMLEntry) -> Field? {
    if let field = Field(name: entry.key) { return field }
    error(
      at: entry.keyMark, "unknown-field", "there is no field \(Wording.quote(entry.key))",
      hint: NearestWord.find(entry.key, among: PolicySchema.fieldNames)
        .map { "did you mean \(Wording.quote($0))?" }
        ?? "the fields are listed in Policies/REFERENCE.md")
    return nil
  }
}
