internal import Glibc

/// Reads a file of /proc or /sys: at most 64 KiB, nil where it cannot be read. Those files have no size to
/// ask for, and a missing one is an ordinary answer.
func readSmallFile(_ path: String) -> String? {
  let opened = SystemCall.retrying { Int(unsafe open(path, O_RDONLY | O_CLOEXEC)) }
  guard case .value(let number) = opened else { return nil }
  let descriptor = Descriptor(adopting: Int32(truncatingIfNeeded: number))
  let limit = 65_536
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 4_096)
  while bytes.count < limit {
    let got = SystemCall.retrying {
      unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor.number, $0.baseAddress, $0.count) }
    }
    guard case .value(let count) = got, count > 0 else { break }
    bytes += chunk[..<min(count, chunk.count)]
  }
  descriptor.close()
  return String(decoding: bytes, as: UTF8.self)
}
