package import AccessPolicy

/// What a scanned line says, read by the same rules as ``RecordReader`` does.
extension RecordScanner {
  private typealias Slot = RecordShape.Slot

  /// - Parameter line: the line scanned last, of which the outcome was ``Outcome/decision``.
  /// - Returns: nil where the strict parser has to say what is wrong with it.
  package func decision(_ line: Span<UInt8>) -> RecordedDecision? {
    guard integer(line, Slot.schema) == RecordEncoder.ownSchema,
      let connectionID = text(line, Slot.connectionID),
      let facts = facts(line),
      let verdict: Verdict = choice(line, Slot.verdict),
      let reason: VerdictReason = choice(line, Slot.reason),
      let shadowVerdict: Verdict = choice(line, Slot.shadowVerdict),
      let shadowReason: VerdictReason = choice(line, Slot.shadowReason),
      let captures = captures(line)
    else { return nil }
    let caller = text(line, Slot.caller).map {
      Caller(name: $0, groups: texts(line, Slot.roles) ?? [], captures: captures)
    }
    return RecordedDecision(
      id: text(line, Slot.eventID), time: time, connectionID: connectionID, facts: facts, verdict: verdict,
      reason: reason, rule: text(line, Slot.rule), caller: caller, matched: texts(line, Slot.matched) ?? [],
      shadow: .init(verdict: shadowVerdict, reason: shadowReason, rule: text(line, Slot.shadowRule)),
      cutFields: [])
  }

  /// `event.id` of the line scanned last.
  package func eventID(_ line: Span<UInt8>) -> String? { text(line, Slot.eventID) }

  private func facts(_ line: Span<UInt8>) -> Facts? {
    var facts = Facts()
    for group in FactLayout.groups {
      for member in group.members where has(member.field.rawValue) {
        guard let value = fact(line, member.field) else { return nil }
        facts[member.field] = value
      }
    }
    return names(line, &facts) ? facts : nil
  }

  private func fact(_ line: Span<UInt8>, _ field: Field) -> FactValue? {
    switch field.kind {
    case .text: text(line, field.rawValue).map { .text($0) }
    case .texts: texts(line, field.rawValue).map { .texts($0) }
    case .integer, .duration: integer(line, field.rawValue).map { .integer($0) }
    case .flag:
      range(field.rawValue).map { .flag(line[$0.lowerBound] == UInt8(ascii: "t")) }
    case .instant, .clock:
      text(line, field.rawValue).flatMap { Timestamp(rfc3339: $0) }.map { .instant($0) }
    case .address: text(line, field.rawValue).flatMap { IPAddress($0) }.map { .address($0) }
    case .addresses: nil
    }
  }

  private func names(_ line: Span<UInt8>, _ facts: inout Facts) -> Bool {
    var lists: [Field: [String]] = [:]
    for member in FactLayout.names where has(member.field.rawValue) { lists[member.field] = [] }
    for name in texts(line, Slot.names) ?? [] {
      guard let (member, value) = RecordReader.typed(name) else { return false }
      lists[member.field, default: []].append(value)
    }
    for (field, names) in lists {
      if field.kind == .addresses {
        let addresses = names.compactMap { IPAddress($0) }
        guard addresses.count == names.count else { return false }
        facts[field] = .addresses(addresses)
      } else {
        facts[field] = .texts(names)
      }
    }
    return true
  }

  private func captures(_ line: Span<UInt8>) -> [String: String]? {
    guard let range = range(Slot.captures) else { return [:] }
    let bytes = Self.copy(line, range)
    guard case .object(let members)? = try? JSONParser.parse(bytes[...]) else { return nil }
    return members.compactMapValues(\.text)
  }

  private func text(_ line: Span<UInt8>, _ slot: UInt8) -> String? {
    guard let range = range(slot) else { return nil }
    guard escaped & Self.bit(slot) != 0 else {
      // Valid: the scan has looked at every byte of the line.
      return String(decoding: Self.copy(line, range), as: UTF8.self)
    }
    let quoted = Self.copy(line, (range.lowerBound - 1)..<(range.upperBound + 1))
    return (try? JSONParser.parse(quoted[...]))?.text
  }

  private func texts(_ line: Span<UInt8>, _ slot: UInt8) -> [String]? {
    guard let range = range(slot) else { return nil }
    return (try? JSONParser.parse(Self.copy(line, range)[...]))?.texts
  }

  private func integer(_ line: Span<UInt8>, _ slot: UInt8) -> Int? {
    range(slot).map { $0.reduce(0) { $0 &* 10 &+ Int(line[$1] &- 0x30) } }
  }

  private func choice<Choice: RawRepresentable<String>>(_ line: Span<UInt8>, _ slot: UInt8) -> Choice? {
    text(line, slot).flatMap { Choice(rawValue: $0) }
  }

  // MARK: Lines that say the same

  /// Appends the bytes of what a judgement of the line depends on: two lines with the same key hold the same
  /// recorded verdict, and facts that are alike in these fields.
  /// - Parameter fields: the fields that the policy asks for; see ``keySlots(_:)``.
  package func appendKey(_ line: Span<UInt8>, slots: [UInt8], to key: inout [UInt8]) {
    for slot in slots where has(slot) {
      let (start, end) = (bounds(slot).lowerBound, bounds(slot).upperBound)
      var length = UInt32(truncatingIfNeeded: end - start)
      key.append(slot)
      for _ in 0..<4 {
        key.append(UInt8(truncatingIfNeeded: length))
        length >>= 8
      }
      unsafe line.extracting(start..<end).withUnsafeBufferPointer { unsafe key.append(contentsOf: $0) }
    }
  }

  /// The slots that ``appendKey(_:slots:to:)`` takes for a policy that asks for these fields.
  package static func keySlots(_ fields: Set<Field>) -> [UInt8] {
    let own = [
      Slot.schema, Slot.reason, Slot.caller, Slot.rule, Slot.names, Slot.verdict, Slot.shadowVerdict,
      Slot.shadowReason, Slot.shadowRule,
    ]
    return (Set(fields.map(\.rawValue)).union(FactLayout.names.map(\.field.rawValue)).union(own)).sorted()
  }

  private func bounds(_ slot: UInt8) -> Range<Int> { range(slot) ?? 0..<0 }
}
