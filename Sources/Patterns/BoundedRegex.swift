import CPCRE2

/// A regular expression of PCRE2 that matches whole values, in bounded time and memory.
///
/// Patterns come from policy files only; values come from remote peers. What a peer could make expensive is
/// bounded by PCRE2's match, depth and heap limits, and a value that meets one is not "no match".
@safe
package final class BoundedRegex: Sendable {
  /// pcre2_match(3): calls of its internal match function; the default of 10 million is seconds of work.
  private static let matchLimit: UInt32 = 100_000
  /// Nested backtracking points.
  private static let depthLimit: UInt32 = 1_000
  /// KiB of heap for backtracking.
  private static let heapLimit: UInt32 = 1_024

  package let text: String
  /// The names of its groups, in order.
  package let names: [String]
  // Sendable: a compiled pattern is not changed by matching ("thread safe", pcre2api(3), MULTITHREADING),
  // and neither is a match context once it is set up.
  private nonisolated(unsafe) let code: OpaquePointer
  private nonisolated(unsafe) let context: OpaquePointer

  /// - Parameter ignoringCase: whether letters of either case are the same, as in DNS names.
  /// - Throws: PCRE2's message and the offset, where the pattern is not valid.
  package init(_ text: String, ignoringCase: Bool = false) throws(PatternError) {
    var error: Int32 = 0
    var offset = 0
    var pattern = text
    let options =
      PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY
      | (ignoringCase ? PCRE2_CASELESS : 0)
    let compiled = pattern.withUTF8 { bytes in
      unsafe pcre2_compile_8(bytes.baseAddress, bytes.count, options, &error, &offset, nil)
    }
    guard let code = unsafe compiled else {
      throw PatternError(Self.message(of: error), offset: offset)
    }
    guard let context = unsafe pcre2_match_context_create_8(nil) else {
      unsafe pcre2_code_free_8(code)
      throw PatternError("no memory for a match context")
    }
    _ = unsafe pcre2_set_match_limit_8(context, Self.matchLimit)
    _ = unsafe pcre2_set_depth_limit_8(context, Self.depthLimit)
    _ = unsafe pcre2_set_heap_limit_8(context, Self.heapLimit)
    self.text = text
    unsafe self.code = code
    unsafe self.context = context
    names = unsafe Self.groupNames(code)
  }

  deinit {
    unsafe pcre2_match_context_free_8(context)
    unsafe pcre2_code_free_8(code)
  }

  /// - Returns: the named groups where the value matches as a whole; a group that took no part is left out.
  package func match(_ value: String) -> MatchOutcome {
    guard let data = unsafe pcre2_match_data_create_from_pattern_8(code, nil) else { return .limitExceeded }
    defer { unsafe pcre2_match_data_free_8(data) }
    var value = value
    return value.withUTF8 { bytes in
      let count = unsafe pcre2_match_8(code, bytes.baseAddress, bytes.count, 0, 0, data, context)
      switch count {
      case PCRE2_ERROR_NOMATCH: return .notMatched
      case 0...: return unsafe captures(bytes, data)
      // A limit, or an error that nobody foresaw: both leave the question open, and open questions deny.
      default: return .limitExceeded
      }
    }
  }

  private func captures(_ bytes: UnsafeBufferPointer<UInt8>, _ data: OpaquePointer) -> MatchOutcome {
    var captures = Captures()
    for name in names {
      var start: UnsafeMutablePointer<UInt8>?
      var length = 0
      let status = unsafe pcre2_substring_get_byname_8(data, name, &start, &length)
      guard status == 0, let found = unsafe start else { continue }
      defer { unsafe pcre2_substring_free_8(found) }
      let value = unsafe String(decoding: UnsafeBufferPointer(start: found, count: length), as: UTF8.self)
      guard captures.add(name, value) else { return .notMatched }
    }
    return .matched(captures)
  }

  /// Reads PCRE2's name table: entries of equal size, each a group number in two bytes and a C string.
  private static func groupNames(_ code: OpaquePointer) -> [String] {
    var count: UInt32 = 0
    var size: UInt32 = 0
    var table: UnsafePointer<UInt8>?
    guard unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMECOUNT), &count) == 0,
      unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMEENTRYSIZE), &size) == 0,
      unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table) == 0,
      let table = unsafe table, size > 2
    else { return [] }
    return (0..<Int(count)).map { index in
      let entry = unsafe UnsafeBufferPointer(start: table + index * Int(size) + 2, count: Int(size) - 2)
      return unsafe String(decoding: entry.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  private static func message(of error: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 256)
    let length = unsafe buffer.withUnsafeMutableBufferPointer { bytes in
      unsafe pcre2_get_error_message_8(error, bytes.baseAddress, bytes.count)
    }
    guard length > 0 else { return "PCRE2 error \(error)" }
    return String(decoding: buffer[..<Int(length)], as: UTF8.self)
  }
}
