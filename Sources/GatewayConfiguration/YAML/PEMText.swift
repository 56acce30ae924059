/// Tells a file of certificates or keys from YAML, which a mistyped path may name in place of it.
enum PEMText {
  /// Looked at only where a text is no mapping of YAML: no value of ours goes over a line that begins so.
  /// - Returns: whether it was one (RFC 7468 §2), and said so without a word of what it holds.
  static func report(_ text: ArraySlice<UInt8>, _ findings: Findings) -> Bool {
    let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard let line = lines.firstIndex(where: { $0.starts(with: "-----BEGIN".utf8) }) else { return false }
    findings.error(
      at: YAMLMark(line: UInt32(clamping: line + 1), column: 1), "pem-file", "this is a PEM file, not YAML",
      hint: "look at the path: it names a certificate or a key")
    return true
  }
}
