/// Bytes that a slow peer has not taken yet. Holds no memory while empty, so an idle connection costs none.
package struct PendingBytes: ~Copyable {
  private var storage: [UInt8] = []
  private var head = 0

  package init() {}

  package var isEmpty: Bool { head == storage.count }
  package var count: Int { storage.count - head }

  /// Copies bytes behind those that wait already.
  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard unsafe !bytes.isEmpty else { return }
    unsafe storage.append(contentsOf: bytes)
  }

  /// Lends the waiting bytes to `body`, which returns how many of them were taken (0 or more).
  package mutating func take(_ body: (UnsafeRawBufferPointer) -> Int) {
    guard !isEmpty else { return }
    let taken = unsafe storage.withUnsafeBytes { bytes in
      unsafe body(UnsafeRawBufferPointer(rebasing: bytes[head...]))
    }
    head += min(max(taken, 0), count)
    if isEmpty { clear() }
  }

  /// Drops what waits and gives the memory back.
  package mutating func clear() {
    storage = []
    head = 0
  }
}
