import Glibc

/// The machine, as records name it.
package enum Host {
  /// gethostname(2); `unknown` where the kernel does not tell.
  package static func name() -> String {
    var buffer = [UInt8](repeating: 0, count: 256)
    let status: Int32 = unsafe buffer.withUnsafeMutableBytes { bytes in
      guard let start = bytes.baseAddress else { return -1 }
      return unsafe gethostname(start.assumingMemoryBound(to: CChar.self), bytes.count)
    }
    guard status == 0, let end = buffer.firstIndex(of: 0), end > 0 else { return "unknown" }
    return String(decoding: buffer[..<end], as: UTF8.self)
  }
}
