import AccessPolicy

/// Values that the strict reader would refuse, whether anybody asks for them or not.
extension RecordScanner {
  mutating func hasReadableFacts(_ line: Span<UInt8>) -> Bool {
    guard let stamp = range(RecordShape.Slot.timestamp), let time = InstantText.read(line, stamp) else {
      return false
    }
    self.time = time
    for field in [Field.notBefore, .notAfter] {
      if let range = range(field.rawValue), InstantText.read(line, range) == nil { return false }
    }
    // The log has no place for a clock; one that has it is somebody else's.
    if has(Field.time.rawValue) { return false }
    for field in [Field.sourceIP, .clientIP] {
      if let range = range(field.rawValue), !isAddress(line, range) { return false }
    }
    return true
  }

  private mutating func isAddress(_ line: Span<UInt8>, _ range: Range<Int>) -> Bool {
    if Self.isIPv4(line, range) { return true }
    if Self.equals(line, range, lastAddress) { return true }
    let bytes = Self.copy(line, range)
    guard IPAddress(String(decoding: bytes, as: UTF8.self)) != nil else { return false }
    lastAddress = bytes
    return true
  }

  private static func isIPv4(_ line: Span<UInt8>, _ range: Range<Int>) -> Bool {
    var parts = 1
    var digits = 0
    var number = 0
    for index in range {
      let byte = line[index]
      if byte == UInt8(ascii: ".") {
        guard digits > 0, parts < 4 else { return false }
        parts += 1
        digits = 0
        number = 0
        continue
      }
      guard byte &- 0x30 < 10, digits == 0 || number > 0 else { return false }
      number = number * 10 + Int(byte &- 0x30)
      digits += 1
      guard number < 256 else { return false }
    }
    return parts == 4 && digits > 0
  }
}
