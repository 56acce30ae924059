/// Finds members of our own lines without parsing them.
///
/// A quote inside a JSON string is escaped, so `,"name":` can only be a member; the first one with a name
/// is the right one for the few names that are asked for here, by the order in which the encoder writes.
enum LineScan {
  static func number(_ name: String, in line: ArraySlice<UInt8>) -> UInt64? {
    guard let start = end(of: "\"\(name)\":", in: line) else { return nil }
    let digits = line[start...].prefix { (0x30...0x39).contains($0) }.prefix(20)
    return UInt64(String(decoding: digits, as: UTF8.self))
  }

  /// Whether the line holds a member in its exact form, such as `"torn_line":true`.
  static func has(_ member: String, in line: ArraySlice<UInt8>) -> Bool {
    end(of: member, in: line) != nil
  }

  static func isGap(_ line: ArraySlice<UInt8>) -> Bool {
    // The action is the first member of the second member: nobody has to look through the whole line.
    has("\"action\":\"audit-gap\"", in: line.prefix(128))
  }

  private static func end(of text: String, in line: ArraySlice<UInt8>) -> Int? {
    let key = Array(text.utf8)
    var index = line.startIndex
    while index <= line.endIndex - key.count {
      if line[index] == key[0], line[index + 1] == key[1],
        line[index..<(index + key.count)].elementsEqual(key)
      {
        return index + key.count
      }
      index += 1
    }
    return nil
  }
}
