/// A record as a line for people at a terminal.
package enum AuditLine {
  /// - Parameters:
  ///   - line: a line of the log, without its end.
  ///   - color: whether to use ANSI colours (ECMA-48 SGR).
  /// - Returns: one line without its end. It holds no control character of the record's values; a line that
  ///   is no record is shown as it is, made safe.
  package static func render(_ line: ArraySlice<UInt8>, color: Bool) -> String {
    guard let record = try? JSONParser.parse(line), let action = record["event", "action"]?.text else {
      return paint("?  ", .yellow, color) + safe(AuditText.text(of: Array(line)))
    }
    let style = Style(action)
    let word = style.word.padding(to: 8)
    var parts = [time(record), paint(word, style.color, color)]
    parts += LineDetails(record: record).parts(action).map(safe)
    return parts.joined(separator: "  ")
  }

  private enum Color: String {
    case red = "31"
    case green = "32"
    case yellow = "33"
    case magenta = "35"
    case cyan = "36"
    case dim = "2"
  }

  private struct Style {
    var word: String
    var color: Color

    init(_ action: String) {
      (word, color) =
        switch AuditAction(rawValue: action) {
        case .connectionAllowed: ("ALLOW", .green)
        case .connectionDenied: ("DENY", .red)
        case .handshakeFailed: ("REFUSE", .red)
        case .connectionClosed: ("CLOSE", .dim)
        case .connectionRevoked: ("REVOKE", .magenta)
        case .upstreamFailed: ("FAIL", .yellow)
        case .limitReached: ("LIMIT", .yellow)
        case .configurationLoaded: ("CONFIG", .cyan)
        case .configurationRejected: ("CONFIG", .red)
        case .gatewayStarted: ("START", .cyan)
        case .gatewayStopping: ("STOP", .cyan)
        case .auditGap: ("GAP", .red)
        case nil: ("?", .yellow)
        }
    }
  }

  private static func paint(_ text: String, _ color: Color, _ isOn: Bool) -> String {
    isOn ? "\u{1b}[\(color.rawValue)m\(text)\u{1b}[0m" : text
  }

  /// The time of day to the millisecond, as UTC.
  private static func time(_ record: JSONValue) -> String {
    let text = record["@timestamp"]?.text ?? ""
    guard let t = text.firstIndex(of: "T") else { return safe(text) }
    let clock = text[text.index(after: t)...].prefix { $0 != "Z" }
    let parts = clock.split(separator: ".", maxSplits: 1)
    let fraction = (parts.count > 1 ? String(parts[1].prefix(3)) : "").padding(to: 3, with: "0")
    return safe("\(text[..<t]) \(parts.first ?? "").\(fraction)")
  }

  private static func safe(_ text: String) -> String { AuditText.printable(text) }
}

extension String {
  fileprivate func padding(to width: Int, with character: Character = " ") -> String {
    self + String(repeating: character, count: max(0, width - count))
  }
}
