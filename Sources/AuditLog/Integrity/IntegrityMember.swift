/// What the end of a sealed line says about the chain.
///
/// The encoder writes `countersign` last and in it `integrity` last, so the member is found from the line's
/// end by its exact form. A quote inside a JSON string is escaped, so no value of a record can look like it.
package struct IntegrityMember: Hashable, Sendable {
  static let head = ",\"integrity\":{\"chain_uid\":\""

  package var uid: String
  package var sequence: UInt64
  package var previous: String
  package var fingerprint: String
  /// Where the fingerprint's value stands in the line.
  var fingerprintRange: Range<Int>

  /// - Parameter line: a line without its end; nil where it does not end with the member's exact form.
  package init?(_ line: ArraySlice<UInt8>) {
    var end = line.endIndex
    guard Self.strip("\"}}}", line, &end) else { return nil }
    let range = max(line.startIndex, end - 64)..<end
    guard let fingerprint = Self.fingerprint(line, &end),
      Self.strip("\",\"fingerprint\":\"", line, &end),
      let previous = Self.fingerprint(line, &end),
      Self.strip(",\"previous\":\"", line, &end),
      let sequence = Self.number(line, &end),
      Self.strip("\",\"sequence\":", line, &end),
      let uid = Self.hex(32, line, &end),
      Self.strip(Self.head, line, &end), line.first == UInt8(ascii: "{")
    else { return nil }
    self.uid = uid
    self.sequence = sequence
    self.previous = previous
    self.fingerprint = fingerprint
    self.fingerprintRange = range
  }

  /// What the fingerprint is the digest of.
  func message(_ line: ArraySlice<UInt8>) -> [UInt8] {
    Array(previous.utf8) + [UInt8(ascii: "\n")] + line[..<fingerprintRange.lowerBound]
      + line[fingerprintRange.upperBound...]
  }

  private static func strip(_ text: String, _ line: ArraySlice<UInt8>, _ end: inout Int) -> Bool {
    guard line[..<end].suffix(text.utf8.count).elementsEqual(text.utf8) else { return false }
    end -= text.utf8.count
    return true
  }

  private static func fingerprint(_ line: ArraySlice<UInt8>, _ end: inout Int) -> String? {
    hex(64, line, &end)
  }

  private static func hex(_ count: Int, _ line: ArraySlice<UInt8>, _ end: inout Int) -> String? {
    let digits = line[..<end].suffix(count)
    guard digits.count == count,
      digits.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    else { return nil }
    end -= count
    return String(decoding: digits, as: UTF8.self)
  }

  /// A number as the chain writes it: no sign and no leading zero, so that one number has one form.
  private static func number(_ line: ArraySlice<UInt8>, _ end: inout Int) -> UInt64? {
    var start = end
    while start > line.startIndex, end - start < 20, (0x30...0x39).contains(line[start - 1]) { start -= 1 }
    let digits = line[start..<end]
    guard digits.first != UInt8(ascii: "0"),
      let number = UInt64(String(decoding: digits, as: UTF8.self))
    else { return nil }
    end = start
    return number
  }
}
