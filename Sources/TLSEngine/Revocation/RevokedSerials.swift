import Glibc

/// The serial numbers of a CRL, as bytes beside each other: 16 MB for a million numbers of 16 octets, looked
/// up by halving, twenty steps in a million.
struct RevokedSerials {
  /// Sorted octets of the numbers of one ``SerialNumber/kind``, all of one length.
  private var kinds: [Int: [UInt8]] = [:]
  private(set) var count = 0

  /// ``sort()`` must follow before anything is looked up.
  mutating func append(_ number: SerialNumber) {
    kinds[number.kind, default: []] += number.magnitude
    count += 1
  }

  mutating func sort() {
    for (kind, numbers) in kinds where kind != 0 { kinds[kind] = Self.sorted(numbers, width: abs(kind)) }
  }

  private static func sorted(_ numbers: [UInt8], width: Int) -> [UInt8] {
    unsafe numbers.withUnsafeBytes { buffer in
      guard let start = buffer.baseAddress else { return [] }
      let order = (0..<(buffer.count / width)).sorted {
        unsafe memcmp(start + $0 * width, start + $1 * width, width) < 0
      }
      return unsafe [UInt8](unsafeUninitializedCapacity: numbers.count) { target, count in
        for (place, index) in order.enumerated() {
          unsafe UnsafeMutableRawBufferPointer(
            rebasing: UnsafeMutableRawBufferPointer(target)[(place * width)...]
          )
          .copyMemory(from: UnsafeRawBufferPointer(start: start + index * width, count: width))
        }
        count = order.count * width
      }
    }
  }

  func contains(_ number: SerialNumber) -> Bool {
    let width = number.magnitude.count
    // A number without octets is in the list or is not; there is nothing to compare.
    guard let sorted = kinds[number.kind] else { return false }
    guard width > 0 else { return true }
    return unsafe sorted.withUnsafeBytes { buffer in
      guard let start = buffer.baseAddress else { return false }
      var range = 0..<(buffer.count / width)
      while !range.isEmpty {
        let middle = range.lowerBound + range.count / 2
        let order = unsafe memcmp(number.magnitude, start + middle * width, width)
        if order == 0 { return true }
        range = order < 0 ? range.lowerBound..<middle : (middle + 1)..<range.upperBound
      }
      return false
    }
  }
}
