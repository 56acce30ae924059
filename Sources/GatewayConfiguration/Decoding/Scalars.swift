import AccessPolicy

/// Reading one value as the type that its key asks for. Each function reports what is wrong and then
/// returns nil. Quotes never change what a value means, with one exception: an unquoted `null` is nothing.
extension Findings {
  /// - Parameter quoting: whether the message may show a text that was found.
  func wrongType(_ node: YAMLNode, expected: String, quoting: Bool = true) {
    if node.isRefused { return }
    error(
      at: node.mark, "wrong-type", "found \(quoting ? node.found : node.kind), expected \(expected)",
      hint: braces(node))
  }

  /// `{worker}` without quotes is a mapping to YAML, and to its writer a capture.
  private func braces(_ node: YAMLNode) -> String? {
    guard case .mapping(let entries) = node.content, entries.count == 1, let entry = entries.first,
      entry.value.isNothing
    else { return nil }
    return "quote a text that has braces: \"{\(entry.key)}\""
  }

  /// A text that is not empty and that a terminal can show.
  func text(_ node: YAMLNode, expected: String = "a text") -> Located<String>? {
    guard case .scalar(let text, _) = node.content, !node.isNothing else {
      wrongType(node, expected: expected)
      return nil
    }
    guard !text.isEmpty else {
      error(at: node.mark, "invalid-value", "found an empty text, expected \(expected)")
      return nil
    }
    // Nothing that is compared with it can hold one: such names refuse the certificate.
    guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
      error(
        at: node.mark, "control-character", "\(Wording.quote(text)) holds a control character",
        hint: "write the text in one line, without a block scalar (\"|\" or \">\")")
      return nil
    }
    return Located(text, at: node.mark.location(in: file))
  }

  func integer(_ node: YAMLNode, in range: ClosedRange<Int>) -> Int? {
    let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
    guard let text = text(node, expected: expected)?.value else { return nil }
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      wrongType(node, expected: expected)
      return nil
    }
    guard let value = Int(text), range.contains(value) else {
      outOfRange(node, text, expected: expected)
      return nil
    }
    return value
  }

  /// `true` or `false`; YAML 1.1's `yes`, `no`, `on` and `off` are refused rather than guessed at.
  func flag(_ node: YAMLNode) -> Bool? {
    guard case .scalar(let text, _) = node.content, let value = Bool(text) else {
      wrongType(node, expected: "true or false")
      return nil
    }
    return value
  }

  /// - Parameter zero: whether `0` is accepted, with or without a unit.
  func duration(_ node: YAMLNode, zero: Bool = false) -> Duration? {
    let expected = "a duration such as 10s, 5m, 24h or 90d"
    guard let text = text(node, expected: expected)?.value else { return nil }
    let value = text == "0" ? .zero : Duration(configured: text)
    guard let value else {
      error(at: node.mark, "invalid-value", "found \(Wording.quote(text)), expected \(expected)")
      return nil
    }
    guard value > .zero || zero else {
      outOfRange(node, text, expected: "a duration longer than 0")
      return nil
    }
    // A timer of the event loop counts nanoseconds in 64 bits; ten years leave room for a clock beside it.
    guard value <= .seconds(3650 * 86400) else {
      outOfRange(node, text, expected: "a duration of at most 3650d")
      return nil
    }
    return value
  }

  func timestamp(_ node: YAMLNode) -> Located<Timestamp>? {
    let expected = "an instant as in RFC 3339, such as 2027-01-31T00:00:00Z"
    guard let text = text(node, expected: expected) else { return nil }
    guard let value = Timestamp(rfc3339: text.value) else {
      error(at: node.mark, "invalid-value", "found \(Wording.quote(text.value)), expected \(expected)")
      return nil
    }
    return Located(value, at: text.location)
  }

  /// One of a closed set of words.
  func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ node: YAMLNode, of type: Choice.Type = Choice.self
  ) -> Located<Choice>? {
    let words = Choice.allCases.map(\.rawValue)
    guard let text = text(node, expected: Wording.choice(words)) else { return nil }
    guard let value = Choice(rawValue: text.value) else {
      error(
        at: node.mark, "invalid-value",
        "found \(Wording.quote(text.value)), expected \(Wording.choice(words))",
        hint: Wording.likely(text.value, among: words))
      return nil
    }
    return Located(value, at: text.location)
  }

  /// A list, or one value that stands for a list of it. An empty list is an error: whether it means
  /// everything or nothing would be a guess.
  func list(_ node: YAMLNode, of what: String) -> [YAMLNode] {
    guard case .sequence(let items) = node.content else { return [node] }
    if items.isEmpty {
      error(at: node.mark, "empty", "found an empty list, expected at least one \(what)")
    }
    return items
  }

  /// A list of texts, or one text.
  func texts(_ node: YAMLNode, of what: String) -> [Located<String>] {
    list(node, of: what).compactMap { text($0, expected: "a \(what)") }
  }

  /// A list of mappings; one mapping alone is refused, since a missing `-` is a mistake.
  func entries(_ node: YAMLNode, of what: String, allowingNone: Bool = false) -> [YAMLNode] {
    guard case .sequence(let items) = node.content else {
      wrongType(node, expected: "a list of \(what)")
      return []
    }
    if items.isEmpty && !allowingNone {
      error(at: node.mark, "empty", "found an empty list, expected \(what)")
    }
    return items
  }

  /// `version: 1`, which heads every file, so that a later language can be told from this one.
  func version(_ node: YAMLNode?) {
    guard let node, let text = text(node, expected: "1"), text.value != "1" else { return }
    error(
      at: node.mark, "invalid-value", "found version \(Wording.quote(text.value)), expected 1",
      hint: "this version of countersign reads version 1")
  }

  private func outOfRange(_ node: YAMLNode, _ text: String, expected: String) {
    error(at: node.mark, "out-of-range", "found \(Wording.quote(text)), expected \(expected)")
  }
}
