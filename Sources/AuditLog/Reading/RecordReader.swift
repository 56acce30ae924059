import AccessPolicy

/// Reads members of a record by the encoder's own table.
struct RecordReader {
  var record: JSONValue

  func text(_ path: String...) throws(RecordError) -> String {
    guard let text = record[path: path]?.text else {
      throw RecordError(member: path.joined(separator: "."), message: "is missing or no text")
    }
    return text
  }

  func choice<Choice: RawRepresentable<String>>(_ path: String...) throws(RecordError) -> Choice {
    guard let text = record[path: path]?.text, let choice = Choice(rawValue: text) else {
      throw RecordError(member: path.joined(separator: "."), message: "is missing or unknown")
    }
    return choice
  }

  func caller() -> Caller? {
    guard let name = record["user", "name"]?.text else { return nil }
    var captures: [String: String] = [:]
    if case .object(let members) = record["countersign", "captures"] {
      captures = members.compactMapValues(\.text)
    }
    return Caller(name: name, groups: record["user", "roles"]?.texts ?? [], captures: captures)
  }

  func facts() throws(RecordError) -> Facts {
    var facts = Facts()
    for group in FactLayout.groups {
      for member in group.members {
        guard let value = record[path: group.path + [member.key]] else { continue }
        facts[member.field] = try Self.fact(member.field, value, group.path + [member.key])
      }
    }
    try alternativeNames(&facts)
    facts.unreadableNames = try unreadableNames()
    return facts
  }

  /// The fields that `countersign.cut` names.
  func cutFields() throws(RecordError) -> Set<Field> {
    guard case .array(let cuts) = record["countersign", "cut"] else { return [] }
    var fields: Set<Field> = []
    for cut in cuts {
      guard let path = cut["field"]?.text else {
        throw RecordError(member: "countersign.cut", message: "names no field")
      }
      for group in FactLayout.groups {
        for member in group.members where (group.path + [member.key]).joined(separator: ".") == path {
          fields.insert(member.field)
        }
      }
      guard path == FactLayout.namesPath.joined(separator: "."), let index = cut["index"]?.integer,
        let names = record[path: FactLayout.namesPath]?.texts, names.indices.contains(index)
      else { continue }
      if let (member, _) = Self.typed(names[index]) { fields.insert(member.field) }
    }
    return fields
  }

  private func alternativeNames(_ facts: inout Facts) throws(RecordError) {
    let path = FactLayout.namesPath
    var lists: [Field: [String]] = [:]
    for member in FactLayout.names {
      // An empty list stands apart; see the encoder.
      if record[path: FactLayout.factsPath + [member.field.name]] != nil { lists[member.field] = [] }
    }
    if let value = record[path: path] {
      guard let names = value.texts else { throw Self.wrong(path) }
      for name in names {
        guard let (member, value) = Self.typed(name) else { throw Self.wrong(path) }
        lists[member.field, default: []].append(value)
      }
    }
    for (field, names) in lists {
      facts[field] = try Self.fact(field, .array(names.map { .text($0) }), path)
    }
  }

  /// The type that stands before an alternative name, and the name itself. By bytes: as characters, a colon
  /// with a combining mark behind it would be no colon.
  static func typed(_ name: String) -> (FactLayout.Member, String)? {
    guard let member = FactLayout.names.first(where: { name.utf8.starts(with: $0.key.utf8) }) else {
      return nil
    }
    return (member, String(decoding: name.utf8.dropFirst(member.key.utf8.count), as: UTF8.self))
  }

  private func unreadableNames() throws(RecordError) -> [UnreadableName] {
    guard case .array(let values) = record["countersign", "unreadable"] else { return [] }
    var names: [UnreadableName] = []
    for value in values {
      guard let place = value["place"]?.text, let problem = value["problem"]?.text else {
        throw Self.wrong(["countersign", "unreadable"])
      }
      names.append(UnreadableName(place: place, problem: problem))
    }
    return names
  }

  private static func fact(
    _ field: Field, _ value: JSONValue, _ path: [String]
  ) throws(RecordError) -> FactValue {
    let fact: FactValue? =
      switch field.kind {
      case .text: value.text.map { .text($0) }
      case .texts: value.texts.map { .texts($0) }
      case .integer, .duration: value.integer.map { .integer($0) }
      case .flag: value.flag.map { .flag($0) }
      case .instant, .clock: value.text.flatMap { Timestamp(rfc3339: $0) }.map { .instant($0) }
      case .address: value.text.flatMap { IPAddress($0) }.map { .address($0) }
      case .addresses: value.texts.flatMap(addresses).map { .addresses($0) }
      }
    guard let fact else { throw wrong(path) }
    return fact
  }

  private static func addresses(_ texts: [String]) -> [IPAddress]? {
    let addresses = texts.compactMap { IPAddress($0) }
    return addresses.count == texts.count ? addresses : nil
  }

  private static func wrong(_ path: [String]) -> RecordError {
    RecordError(member: path.joined(separator: "."), message: "has a value that the log does not write")
  }
}
