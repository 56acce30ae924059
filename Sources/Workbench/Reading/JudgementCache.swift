/// What was found out about lines of a log, by the bytes that it depends on.
///
/// Bounded: when it is full it is emptied, and fills again with what comes now. Keys are compared whole, so two
/// lines never share an entry because their hashes do.
struct JudgementCache<Value> {
  private struct Slot {
    var hash: UInt64 = 0
    var key: Range<Int> = 0..<0
    /// Into `values`; -1 where the slot is free.
    var value = -1
  }

  private static var slotCount: Int { 1 << 17 }
  private static var longestProbe: Int { 64 }

  private var slots: [Slot]
  private var keys: [UInt8] = []
  private var values: [Value] = []
  private let entryLimit: Int
  private let byteLimit: Int

  /// - Parameters:
  ///   - entryLimit: at most half of the slots, so that a search ends soon.
  ///   - byteLimit: of all keys together.
  init(entryLimit: Int = 1 << 16, byteLimit: Int = 64 << 20) {
    self.entryLimit = min(entryLimit, Self.slotCount / 2)
    self.byteLimit = byteLimit
    slots = Array(repeating: Slot(), count: Self.slotCount)
  }

  subscript(index: Int) -> Value {
    get { values[index] }
    set { values[index] = newValue }
  }

  /// - Returns: the place of the value that was stored under this key; nil where there is none.
  func find(_ key: [UInt8]) -> Int? {
    let hash = Self.hash(key)
    var place = Int(truncatingIfNeeded: hash) & (Self.slotCount - 1)
    for _ in 0..<Self.longestProbe {
      let slot = slots[place]
      if slot.value < 0 { return nil }
      if slot.hash == hash, isSame(key, slot.key) { return slot.value }
      place = (place + 1) & (Self.slotCount - 1)
    }
    return nil
  }

  /// Stores a value under a key that is not there yet.
  mutating func insert(_ key: [UInt8], _ value: Value) {
    guard key.count <= byteLimit else { return }
    if values.count >= entryLimit || keys.count + key.count > byteLimit { empty() }
    let hash = Self.hash(key)
    var place = Int(truncatingIfNeeded: hash) & (Self.slotCount - 1)
    for _ in 0..<Self.longestProbe {
      if slots[place].value < 0 {
        let start = keys.count
        keys += key
        slots[place] = Slot(hash: hash, key: start..<keys.count, value: values.count)
        values.append(value)
        return
      }
      place = (place + 1) & (Self.slotCount - 1)
    }
    // Somebody made keys that collide: they are judged each time.
  }

  private mutating func empty() {
    for place in slots.indices { slots[place].value = -1 }
    keys.removeAll(keepingCapacity: true)
    values.removeAll(keepingCapacity: true)
  }

  private func isSame(_ key: [UInt8], _ stored: Range<Int>) -> Bool {
    guard key.count == stored.count else { return false }
    return unsafe key.withUnsafeBytes { left in
      unsafe keys.withUnsafeBytes { right in
        unsafe left.elementsEqual(right[stored])
      }
    }
  }

  /// Eight bytes a step; the multiplier is the golden ratio's, as Fibonacci hashing has it (Knuth, The Art of
  /// Computer Programming 3, §6.4).
  private static func hash(_ key: [UInt8]) -> UInt64 {
    let multiplier: UInt64 = 0x9e37_79b9_7f4a_7c15
    return unsafe key.withUnsafeBytes { bytes in
      var hash = UInt64(truncatingIfNeeded: bytes.count) &* multiplier
      var index = 0
      while index + 8 <= bytes.count {
        let word = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        hash = (hash ^ word) &* multiplier
        hash ^= hash >> 29
        index += 8
      }
      while index < bytes.count {
        hash = (hash ^ UInt64(unsafe bytes[index])) &* multiplier
        hash ^= hash >> 29
        index += 1
      }
      return hash ^ (hash >> 32)
    }
  }
}
