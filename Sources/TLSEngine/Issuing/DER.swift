/// Writes DER (X.690 §10), for certificates that no ordinary tool would make.
package enum DER {
  /// One element: tag, length and content. A tag number above 30 is not written.
  package static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
    [tag] + length(content.count) + content
  }

  /// A SEQUENCE of elements.
  package static func sequence(_ parts: [UInt8]...) -> [UInt8] { element(0x30, parts.flatMap { $0 }) }
  /// An OCTET STRING.
  package static func octets(_ content: [UInt8]) -> [UInt8] { element(0x04, content) }
  /// A BOOLEAN.
  package static func boolean(_ value: Bool) -> [UInt8] { element(0x01, [value ? 0xff : 0]) }
  /// A UTF8String.
  package static func utf8(_ text: String) -> [UInt8] { element(0x0c, Array(text.utf8)) }

  /// - Parameter value: 0 to 127.
  package static func integer(_ value: UInt8) -> [UInt8] { element(0x02, [value & 0x7f]) }

  /// A context-specific tag, primitive (implicit) or constructed (explicit).
  package static func tagged(_ number: UInt8, _ content: [UInt8], constructed: Bool = false) -> [UInt8] {
    element((constructed ? 0xa0 : 0x80) | (number & 0x1f), content)
  }

  /// An object identifier of dotted decimals; empty content where `dotted` is none.
  package static func identifier(_ dotted: String) -> [UInt8] {
    let arcs = dotted.split(separator: ".").compactMap { UInt64($0) }
    guard arcs.count >= 2, arcs[0] <= 2, arcs[1] < 1 << 60 else { return element(0x06, []) }
    return element(0x06, ([arcs[0] * 40 + arcs[1]] + arcs.dropFirst(2)).flatMap(base128))
  }

  private static func base128(_ value: UInt64) -> [UInt8] {
    var digits = [UInt8(value & 0x7f)]
    var rest = value >> 7
    while rest > 0 {
      digits.insert(UInt8(rest & 0x7f) | 0x80, at: 0)
      rest >>= 7
    }
    return digits
  }

  private static func length(_ count: Int) -> [UInt8] {
    if count < 0x80 { return [UInt8(truncatingIfNeeded: count)] }
    let bytes = withBigEndianBytes(UInt64(count)).drop { $0 == 0 }
    return [0x80 | UInt8(truncatingIfNeeded: bytes.count)] + bytes
  }

  private static func withBigEndianBytes(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * UInt64($0))) }
  }
}
