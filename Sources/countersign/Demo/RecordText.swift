/// An audit record laid out for a terminal: the members of its object each on lines of their own, none left out.
enum RecordText {
  /// - Parameters:
  ///   - record: one line of the log: a JSON object, as the gateway writes it.
  ///   - width: columns, beside the indentation.
  static func lines(_ record: ArraySlice<UInt8>, width: Int) -> [String] {
    members(of: record).flatMap { member in
      wrapped(String(decoding: member, as: UTF8.self), width)
    }
  }

  /// Splits an object at the commas between its members: those outside of strings, objects and arrays.
  private static func members(of object: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    var members: [ArraySlice<UInt8>] = []
    var depth = 0
    var isText = false
    var isEscaped = false
    var start = object.startIndex + 1
    for index in object.indices {
      let byte = object[index]
      if isText {
        isText = isEscaped || byte != UInt8(ascii: "\"")
        isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
        continue
      }
      switch byte {
      case UInt8(ascii: "\""): isText = true
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if depth == 0, start < index { members.append(object[start..<index]) }
      case UInt8(ascii: ",") where depth == 1:
        members.append(object[start..<index])
        start = index + 1
      default: break
      }
    }
    return members
  }

  /// Breaks behind commas, so that values stay whole where they fit.
  private static func wrapped(_ text: String, _ width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for piece in text.split(separator: ",", omittingEmptySubsequences: false) {
      let addition = line.isEmpty ? String(piece) : "," + piece
      if !line.isEmpty, line.count + addition.count > width {
        lines.append(line + ",")
        line = "  " + piece
      } else {
        line += addition
      }
    }
    return lines + [line]
  }
}
