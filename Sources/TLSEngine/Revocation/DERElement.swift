import COpenSSL

/// One tag-length-value of a DER text (X.690 §8.1), as OpenSSL reads its head.
struct DERElement {
  var tag: Int32
  var isConstructed: Bool
  var isUniversal: Bool
  /// The element from its tag on.
  var whole: Range<Int>
  /// What the element holds.
  var content: Range<Int>

  /// - Returns: nil where there is no whole element of definite length at the beginning of the range.
  init?(_ bytes: [UInt8], in range: Range<Int>) {
    guard !range.isEmpty, range.upperBound <= bytes.count else { return nil }
    var length = 0
    var tag: Int32 = 0
    var tagClass: Int32 = 0
    var head = 0
    ERR_clear_error()
    let flags = unsafe bytes.withUnsafeBufferPointer { buffer -> Int32 in
      guard let start = unsafe buffer.baseAddress.map({ unsafe $0 + range.lowerBound }) else { return 0x80 }
      var cursor: UnsafePointer<UInt8>? = unsafe start
      let flags = unsafe ASN1_get_object(&cursor, &length, &tag, &tagClass, range.count)
      head = unsafe cursor.map { unsafe $0 - start } ?? 0
      return flags
    }
    ERR_clear_error()
    // ASN1_get_object(3): 0x80 is an error, 0x01 an indefinite length, which DER has not.
    guard flags & 0x80 == 0, flags & 0x01 == 0, length >= 0, head > 0, length <= range.count - head else {
      return nil
    }
    self.tag = tag
    isConstructed = flags & V_ASN1_CONSTRUCTED != 0
    isUniversal = tagClass == V_ASN1_UNIVERSAL
    let start = range.lowerBound + head
    content = start..<(start + length)
    whole = range.lowerBound..<(start + length)
  }

  var isSequence: Bool { isUniversal && isConstructed && tag == V_ASN1_SEQUENCE }
  var isTime: Bool {
    isUniversal && !isConstructed && (tag == V_ASN1_UTCTIME || tag == V_ASN1_GENERALIZEDTIME)
  }

  /// The elements one after the other that fill a range; nil where they do not, or are more than `most`.
  static func all(_ bytes: [UInt8], in range: Range<Int>, most: Int = .max) -> [DERElement]? {
    var elements: [DERElement] = []
    var rest = range
    while !rest.isEmpty {
      guard elements.count < most, let element = DERElement(bytes, in: rest) else { return nil }
      elements.append(element)
      rest = element.whole.upperBound..<range.upperBound
    }
    return elements
  }
}
