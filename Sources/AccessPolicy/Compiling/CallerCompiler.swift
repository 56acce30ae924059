import Patterns

/// Compiles caller entries, in the order in which they name callers.
struct CallerCompiler {
  private(set) var entries: [CompiledCaller] = []
  private(set) var findings: [Diagnostic] = []
  private let matchers = MatcherCompiler(place: .caller, zones: ZoneTable())
  private var seen: [[Field: Set<ValueMatcher>]: CallerEntry] = [:]
  private var keys: [KeyName: CallerEntry] = [:]

  /// A key or certificate, by its hash.
  private struct KeyName: Hashable {
    let field: Field
    let hash: String
  }

  mutating func compile(_ entry: CallerEntry) {
    guard !entry.match.isEmpty else {
      return findings.error(
        "empty-match", at: entry.name.location, "caller '\(entry.name.value)' matches nothing",
        hint: "give at least one field under 'match'")
    }
    guard let name = name(of: entry) else { return }
    checkGroups(of: entry)
    let conditions = entry.match.compactMap { matchers.compile($0, &findings) }
    guard conditions.count == entry.match.count else { return }
    // Whichever alternative matches, each name in braces must have been captured.
    for capture in name.names where !conditions.contains(where: { $0.alwaysCaptures(capture) }) {
      findings.error(
        "undefined-capture", at: entry.name.location,
        "caller '\(entry.name.value)': {\(capture)} is not captured by every way to match",
        hint: "write {\(capture)} or (?<\(capture)>…) in each value of one field under 'match'")
    }
    warnOfTwins(entry)
    entries.append(
      CompiledCaller(
        name: name, location: entry.name.location, groups: entry.groups.map(\.value),
        conditions: conditions))
  }

  private mutating func name(of entry: CallerEntry) -> CaptureTemplate? {
    let written = entry.name.value
    let problem: String
    do {
      let name = try CaptureTemplate(written)
      if written.isEmpty {
        problem = "the name is empty"
      } else if written.utf8.contains(UInt8(ascii: "*")) {
        problem = "a name has no '*', which stands for other names in rules"
      } else if case .group = CallerSelector(written) {
        problem = "'group:' is how rules speak of groups, so no rule could speak of this caller"
      } else if written.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
        problem = "a name has no control characters"
      } else {
        return name
      }
    } catch {
      problem = error.message
    }
    findings.error("bad-name", at: entry.name.location, "caller '\(written)': \(problem)")
    return nil
  }

  private mutating func checkGroups(of entry: CallerEntry) {
    for group in entry.groups where group.value.utf8.contains(where: { $0 == UInt8(ascii: "{") }) {
      findings.error(
        "bad-group", at: group.location,
        "the group '\(group.value)' has a brace: nothing is filled in in groups",
        hint: "a rule reaches all names of one form by a glob, such as \(entry.name.value.globbed)")
    }
  }

  /// Entries of which the later one names nobody, and names that share a key.
  private mutating func warnOfTwins(_ entry: CallerEntry) {
    let match = Dictionary(
      entry.match.map { ($0.field, Set($0.alternatives.map(\.value))) },
      uniquingKeysWith: { first, _ in first })
    if let first = seen[match] {
      return findings.warning(
        "duplicate-caller", at: entry.name.location,
        "caller '\(entry.name.value)' matches exactly what '\(first.name.value)' at \(first.name.location) does",
        hint: "the first entry that matches names the caller, so this one never does")
    }
    seen[match] = entry
    // What is no part of the certificate may well tell two callers with one key apart.
    guard entry.match.allSatisfy(\.field.isCertified) else { return }
    for condition in entry.match where [.sha256, .spkiSHA256].contains(condition.field) {
      for alternative in condition.alternatives {
        guard case .plain(let text) = alternative.value else { continue }
        let key = KeyName(field: condition.field, hash: condition.field.canonical(text))
        guard let first = keys[key], first.name.value != entry.name.value else {
          keys[key] = keys[key] ?? entry
          continue
        }
        findings.warning(
          "shared-key", at: alternative.location,
          "this \(condition.field.name) names '\(first.name.value)' at \(first.name.location) already",
          hint: "the first entry that matches names the caller; give each caller a key of its own")
      }
    }
  }
}

extension String {
  /// A caller's name as a glob of all names of its form.
  fileprivate var globbed: String { (try? CaptureTemplate(self))?.filled { _ in "*" } ?? self }
}

extension CompiledCondition {
  /// Whether each of its alternatives captures `name`.
  func alwaysCaptures(_ name: String) -> Bool {
    alternatives.allSatisfy { alternative in
      switch alternative {
      case .capture(let pattern): pattern.template.names.contains(name)
      case .regex(let regex): regex.names.contains(name)
      default: false
      }
    }
  }
}
