/// A value that does not fit its field.
package struct FactSyntaxError: Error, Hashable, Sendable {
  /// What was expected, without a full stop.
  package var message: String

  package init(_ message: String) { self.message = message }
}

extension FactValue {
  /// Reads a fact as people write it in tests and on the command line.
  /// - Parameter text: one text, or several for a field with several values.
  package static func parse(_ text: [String], for field: Field) throws(FactSyntaxError) -> FactValue {
    switch field.kind {
    case .texts: return .texts(text.map { field.canonical($0) })
    case .addresses:
      return .addresses(try text.map { (item) throws(FactSyntaxError) in try address(item) })
    case .text, .integer, .flag, .instant, .address, .duration, .clock: break
    }
    guard let single = text.first, text.count == 1 else {
      throw FactSyntaxError("\(field.name) has one value, found \(text.count)")
    }
    switch field.kind {
    case .text, .texts, .addresses: return .text(field.canonical(single))
    case .integer:
      guard let number = Int(single) else {
        throw FactSyntaxError("expected a whole number, found '\(single)'")
      }
      return .integer(number)
    case .flag:
      guard let flag = Bool(single) else {
        throw FactSyntaxError("expected true or false, found '\(single)'")
      }
      return .flag(flag)
    case .instant:
      guard let instant = Timestamp(rfc3339: single) else {
        throw FactSyntaxError("expected a time such as 2027-01-31T00:00:00Z, found '\(single)'")
      }
      return .instant(instant)
    case .address: return .address(try address(single))
    case .duration:
      throw FactSyntaxError("\(field.name) follows from not_after and the time; give not_after")
    case .clock: throw FactSyntaxError("time is no fact of a connection; give the moment as 'at'")
    }
  }

  /// The value as people write it; one text, or one for each of several values.
  package var texts: [String] {
    switch self {
    case .text(let text): [text]
    case .texts(let texts): texts
    case .integer(let number): [String(number)]
    case .flag(let flag): [String(flag)]
    case .instant(let instant): [instant.rfc3339]
    case .address(let address): [address.text]
    case .addresses(let addresses): addresses.map(\.text)
    }
  }

  private static func address(_ text: String) throws(FactSyntaxError) -> IPAddress {
    guard let address = IPAddress(text) else {
      throw FactSyntaxError("expected an IPv4 or IPv6 address, found '\(text)'")
    }
    return address
  }
}

extension Field {
  /// Whether letters of either case are the same: DNS names (RFC 4343).
  package var ignoresCase: Bool { self == .sanDNS || self == .serverName }

  /// Whether values are bytes in hexadecimal, which people write in capitals and with colons too.
  package var isHexadecimal: Bool {
    switch self {
    case .serial, .sha256, .spkiSHA256, .ski, .issuerSKI, .rootSHA256: true
    default: false
    }
  }

  /// A value of this field in the one form in which values are compared.
  package func canonical(_ text: String) -> String {
    if isHexadecimal {
      let digits = text.lowercased().filter { $0 != ":" }
      // A serial is a number: tools print it with and without leading zeros.
      return self == .serial ? String(digits.drop { $0 == "0" }) : digits
    }
    return ignoresCase ? text.asciiLowercased() : text
  }
}

extension String {
  /// Lower case for ASCII letters alone: other scripts have no case in the DNS.
  func asciiLowercased() -> String {
    guard utf8.contains(where: { (65...90).contains($0) }) else { return self }
    return String(decoding: utf8.map { (65...90).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
  }
}
