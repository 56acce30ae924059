package import AccessPolicy

/// Walks over a line of the log without building a tree of it: the reader of logs of many gigabytes.
///
/// It takes what ``RecordEncoder`` writes: the members of ``RecordShape`` in their order, without spaces, with
/// no escape longer than two characters. Of such a line it says exactly what the strict parser would; of any
/// other one it says that it does not know (``Outcome/unusual``), and the strict parser is to be asked.
package struct RecordScanner: Sendable {
  package enum Outcome: Sendable, Equatable {
    /// The verdict of a connection; ``decision(_:)`` reads it.
    case decision
    /// A record of something else; nil where this version does not know the action.
    case other(AuditAction?)
    case unusual
  }

  struct Entry: Sendable {
    var key: Range<Int>
    var kind: RecordShape.Kind
    var target: UInt8
  }

  private let keys: [UInt8]
  private let entries: [Entry]
  private let objects: [Range<Int>]
  private let root: Int

  /// Which slots have a value in the line scanned last, and where: without the quotes of a text, with the
  /// brackets of a list or an object.
  private(set) var present: UInt128 = 0
  private var starts = [Int](repeating: 0, count: RecordShape.Slot.count)
  private var ends = [Int](repeating: 0, count: RecordShape.Slot.count)
  /// Texts and lists with a backslash in them.
  private(set) var escaped: UInt128 = 0
  /// `@timestamp` of the line scanned last.
  package internal(set) var time = Timestamp(nanoseconds: 0)

  private var hasHighBytes = false
  private var hasEscape = false
  private let factMask: UInt128
  /// The last address that was found good and is not of the frequent form.
  var lastAddress: [UInt8] = []

  package init() {
    let shape = RecordShape.shared
    var keys: [UInt8] = []
    var entries: [Entry] = []
    var objects: [Range<Int>] = []
    for members in shape.objects {
      let first = entries.count
      for member in members {
        let start = keys.count
        keys += member.key
        entries.append(Entry(key: start..<keys.count, kind: member.kind, target: member.target))
      }
      objects.append(first..<entries.count)
    }
    self.keys = keys
    self.entries = entries
    self.objects = objects
    self.root = shape.root
    factMask = (1 << UInt128(RecordShape.Slot.timestamp)) - 1
  }

  /// The bytes of a slot's value.
  func range(_ slot: UInt8) -> Range<Int>? {
    has(slot) ? starts[Int(slot)]..<ends[Int(slot)] : nil
  }

  func has(_ slot: UInt8) -> Bool { present & Self.bit(slot) != 0 }

  static func bit(_ slot: UInt8) -> UInt128 { 1 << UInt128(slot) }

  /// - Parameter line: a line without its end, beginning at index 0.
  package mutating func scan(_ line: Span<UInt8>) -> Outcome {
    present = 0
    escaped = 0
    hasHighBytes = false
    var index = 0
    guard take(UInt8(ascii: "{"), line, &index), object(root, line, &index), index == line.count else {
      return .unusual
    }
    if hasHighBytes, !Self.isUTF8(line) { return .unusual }
    guard let action = range(RecordShape.Slot.action), escaped & Self.bit(RecordShape.Slot.action) == 0 else {
      return .unusual
    }
    // The most frequent ones first, without making a text of them.
    if Self.equals(line, action, "connection-closed") { return .other(.connectionClosed) }
    guard
      Self.equals(line, action, "connection-allowed") || Self.equals(line, action, "connection-denied")
    else { return .other(AuditAction(rawValue: String(decoding: Self.copy(line, action), as: UTF8.self))) }
    return hasReadableFacts(line) ? .decision : .unusual
  }

  private static func isUTF8(_ line: Span<UInt8>) -> Bool {
    do {
      _ = try UTF8Span(validating: line)
      return true
    } catch {
      return false
    }
  }

  // MARK: JSON (RFC 8259), as far as the encoder uses it

  @inline(__always)
  private func take(_ byte: UInt8, _ line: Span<UInt8>, _ index: inout Int) -> Bool {
    guard index < line.count, line[index] == byte else { return false }
    index += 1
    return true
  }

  /// Behind the opening brace. Members stand in the order of the table, so none stands twice.
  private mutating func object(_ number: Int, _ line: Span<UInt8>, _ index: inout Int) -> Bool {
    if take(UInt8(ascii: "}"), line, &index) { return true }
    var next = objects[number].lowerBound
    let end = objects[number].upperBound
    while true {
      guard take(UInt8(ascii: "\""), line, &index) else { return false }
      while true {
        guard next < end else { return false }
        if isKey(entries[next].key, line, index) { break }
        next += 1
      }
      let entry = entries[next]
      next += 1
      index += entry.key.count + 2
      guard value(entry, line, &index) else { return false }
      if take(UInt8(ascii: ","), line, &index) { continue }
      return take(UInt8(ascii: "}"), line, &index)
    }
  }

  /// Whether the key stands here, with its quote and colon behind it.
  @inline(__always)
  private func isKey(_ key: Range<Int>, _ line: Span<UInt8>, _ index: Int) -> Bool {
    let end = index + key.count
    guard end + 1 < line.count, line[end] == UInt8(ascii: "\""), line[end + 1] == UInt8(ascii: ":") else {
      return false
    }
    var place = index
    for position in key {
      if line[place] != keys[position] { return false }
      place += 1
    }
    return true
  }

  private mutating func value(_ entry: Entry, _ line: Span<UInt8>, _ index: inout Int) -> Bool {
    var start = index
    var end = index
    switch entry.kind {
    case .text:
      guard take(UInt8(ascii: "\""), line, &index) else { return false }
      start = index
      hasEscape = false
      guard string(line, &index) else { return false }
      end = index - 1
      if hasEscape { escaped |= Self.bit(entry.target) }
    case .texts:
      hasEscape = false
      guard texts(line, &index) else { return false }
      end = index
      if hasEscape { escaped |= Self.bit(entry.target) }
    case .integer:
      guard digits(line, &index, isRead: entry.target != RecordShape.Slot.none) else { return false }
      end = index
    case .flag:
      guard word("true", line, &index) || word("false", line, &index) else { return false }
      end = index
    case .object:
      return take(UInt8(ascii: "{"), line, &index) && object(Int(entry.target), line, &index)
    case .foreign:
      guard foreign(line, &index) else { return false }
      end = index
    }
    // The one member that has two places stands in one of them only.
    if entry.target != RecordShape.Slot.none, has(entry.target) { return false }
    starts[Int(entry.target)] = start
    ends[Int(entry.target)] = end
    present |= Self.bit(entry.target)
    return true
  }

  private func word(_ word: StaticString, _ line: Span<UInt8>, _ index: inout Int) -> Bool {
    guard Self.starts(line, index, word) else { return false }
    index += word.utf8CodeUnitCount
    return true
  }

  /// Of a number that is read at most 18 digits, which fit into 64 bits.
  private func digits(_ line: Span<UInt8>, _ index: inout Int, isRead: Bool) -> Bool {
    let start = index
    while index < line.count, line[index] &- 0x30 < 10 { index += 1 }
    let count = index - start
    return count == 1 || count > 1 && (count <= 18 || !isRead) && line[start] != 0x30
  }

  private mutating func texts(_ line: Span<UInt8>, _ index: inout Int) -> Bool {
    guard take(UInt8(ascii: "["), line, &index) else { return false }
    if take(UInt8(ascii: "]"), line, &index) { return true }
    repeat {
      guard take(UInt8(ascii: "\""), line, &index), string(line, &index) else { return false }
    } while take(UInt8(ascii: ","), line, &index)
    return take(UInt8(ascii: "]"), line, &index)
  }

  /// An object whose names are not ours: compared with each other, because a name that stands twice is no
  /// JSON that two readers would read alike.
  private mutating func foreign(_ line: Span<UInt8>, _ index: inout Int) -> Bool {
    guard take(UInt8(ascii: "{"), line, &index) else { return false }
    var names: [Range<Int>] = []
    repeat {
      guard take(UInt8(ascii: "\""), line, &index) else { return false }
      let start = index
      hasEscape = false
      let hadHighBytes = hasHighBytes
      hasHighBytes = false
      guard string(line, &index), !hasEscape, !hasHighBytes, names.count < 16 else { return false }
      hasHighBytes = hadHighBytes
      let name = start..<(index - 1)
      guard !names.contains(where: { Self.equals(line, $0, name) }) else { return false }
      names.append(name)
      guard take(UInt8(ascii: ":"), line, &index), take(UInt8(ascii: "\""), line, &index),
        string(line, &index)
      else { return false }
    } while take(UInt8(ascii: ","), line, &index)
    return take(UInt8(ascii: "}"), line, &index)
  }

  /// Behind the opening quote; ends behind the closing one. Eight bytes at a time up to the next one that is
  /// special: a quote, a backslash or a control character (Hacker's Delight §6-1, "find first 0-byte").
  private mutating func string(_ line: Span<UInt8>, _ index: inout Int) -> Bool {
    let count = line.count
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    while true {
      while index + 8 <= count {
        let word = UInt64(
          littleEndian: unsafe line.bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
        let quote = word ^ 0x2222_2222_2222_2222
        let slash = word ^ 0x5c5c_5c5c_5c5c_5c5c
        let control = (word &- 0x2020_2020_2020_2020) & ~word
        let stop = ((quote &- ones) & ~quote | (slash &- ones) & ~slash | control) & tops
        if word & tops != 0 { hasHighBytes = true }
        guard stop == 0 else {
          index += stop.trailingZeroBitCount >> 3
          break
        }
        index += 8
      }
      guard index < count else { return false }
      let byte = line[index]
      index += 1
      switch byte {
      case UInt8(ascii: "\""): return true
      case UInt8(ascii: "\\"):
        hasEscape = true
        guard index < count, Self.isShortEscape(line[index]) else { return false }
        index += 1
      case ..<0x20: return false
      default: if byte >= 0x80 { hasHighBytes = true }
      }
    }
  }

  private static func isShortEscape(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74: true
    default: false
    }
  }
}
