/// A JSON value as it was parsed. Numbers keep their text: the log holds 64-bit integers.
package indirect enum JSONValue: Hashable, Sendable {
  case object([String: JSONValue])
  case array([JSONValue])
  case text(String)
  case number(String)
  case flag(Bool)
  case null

  /// The member of an object, through all names in turn.
  package subscript(path: String...) -> JSONValue? { self[path: path] }

  package subscript(path path: [String]) -> JSONValue? {
    var value = self
    for name in path {
      guard case .object(let members) = value, let member = members[name] else { return nil }
      value = member
    }
    return value
  }

  package var text: String? {
    guard case .text(let text) = self else { return nil }
    return text
  }

  package var texts: [String]? {
    guard case .array(let values) = self else { return nil }
    let texts = values.compactMap(\.text)
    return texts.count == values.count ? texts : nil
  }

  package var integer: Int? {
    guard case .number(let text) = self else { return nil }
    return Int(text)
  }

  package var flag: Bool? {
    guard case .flag(let flag) = self else { return nil }
    return flag
  }
}

/// A line that is not JSON.
package struct JSONError: Error, Hashable, Sendable {
  /// Counted from 0, in bytes.
  package var offset: Int
  package var message: String
}
