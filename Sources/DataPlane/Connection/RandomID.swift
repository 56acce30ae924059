/// Names for connections and records: 128 random bits from the system's generator, as lowercase hex.
package enum RandomID {
  /// As a number, for those who write it out themselves.
  package static func number() -> UInt128 {
    var generator = SystemRandomNumberGenerator()
    return UInt128(_low: generator.next(), _high: generator.next())
  }

  /// As text.
  package static func next() -> String {
    var generator = SystemRandomNumberGenerator()
    let digits = Array("0123456789abcdef".utf8)
    return unsafe String(unsafeUninitializedCapacity: 32) { buffer in
      for half in 0..<2 {
        var bits = generator.next() as UInt64
        for position in 0..<16 {
          unsafe buffer[half * 16 + position] = digits[Int(bits & 15)]
          bits >>= 4
        }
      }
      return 32
    }
  }
}
