import Patterns

/// Patterns, and plain values with `{names}`, of fields that are text.
extension MatcherCompiler {
  func pattern(_ matcher: ValueMatcher, _ field: Field) throws(PatternError) -> Matcher {
    switch matcher {
    case .glob(let text):
      let text = try withoutNames(text, "glob")
      return .glob(
        Glob(
          field.isHexadecimal
            ? try HexadecimalText(field: field).part(text, allowing: "*") : field.canonical(text)))
    case .prefix(let text):
      let text = try withoutNames(try nonempty(text, "prefix"), "prefix")
      return .prefix(
        field.isHexadecimal
          ? try nonempty(try HexadecimalText(field: field).prefix(text), "prefix") : field.canonical(text))
    case .suffix(let text):
      let text = try withoutNames(try nonempty(text, "suffix"), "suffix")
      return .suffix(
        field.isHexadecimal
          ? try nonempty(try HexadecimalText(field: field).part(text, allowing: nil), "suffix")
          : field.canonical(text))
    case .regex(let text):
      let regex = try BoundedRegex(text, ignoringCase: field.ignoresCase || field.isHexadecimal)
      if place == .caller, !field.isCertified, !regex.names.isEmpty { throw uncertified(field) }
      return .regex(regex)
    case .plain, .cidr, .range, .present, .window: throw PatternError("no pattern")
    }
  }

  private func nonempty(_ text: String, _ form: String) throws(PatternError) -> String {
    guard !text.isEmpty else { throw PatternError("an empty \(form) would match everything") }
    return text
  }

  /// `{prefix: "{worker}_"}` reads as if the name were filled in, and a rule that then never matches may be
  /// one that denies.
  private func withoutNames(_ text: String, _ form: String) throws(PatternError) -> String {
    guard let template = try? CaptureTemplate(text), !template.names.isEmpty else { return text }
    throw PatternError(
      "{\(template.names[0])} stands in a \(form), but names in braces belong to plain values; "
        + "for braces themselves use a regex")
  }

  private func uncertified(_ field: Field) -> PatternError {
    PatternError(
      "\(field.name) is no part of the certificate, so nothing of it may be captured for a caller's name")
  }

  func braced(_ text: String, _ field: Field) throws(PatternError) -> Matcher {
    let template = try CaptureTemplate(text)
    guard place == .caller else { return .template(template) }
    guard field.isCertified else { throw uncertified(field) }
    let hasNoCase = field.ignoresCase || field.isHexadecimal
    let canonical = hasNoCase ? try CaptureTemplate(Self.lowercasedOutsideBraces(text)) : template
    return .capture(
      try CapturePattern(canonical, separator: UInt8(ascii: field.ignoresCase ? "." : "/")))
  }

  private static func lowercasedOutsideBraces(_ text: String) -> String {
    var isName = false
    let bytes = text.utf8.map { byte -> UInt8 in
      if byte == UInt8(ascii: "{") { isName = true }
      if byte == UInt8(ascii: "}") { isName = false }
      return !isName && (65...90).contains(byte) ? byte | 0x20 : byte
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
