package import AccessPolicy
internal import Foundation

/// How commands show their results to programs: one JSON document, members in the order of their names, so
/// that two reports can be compared line by line.
package enum JSONReport {
  /// - Returns: the document, with a line feed at the end.
  /// - Throws: what the value's own encoding throws; nothing where it is made of texts, whole numbers and
  ///   lists of such.
  package static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }

  /// Why a command cannot go on, with what it found before.
  package static func failure(_ message: String, findings: [Diagnostic] = []) throws -> String {
    try text(JSONTree.object(["error": .text(message), "findings": .findings(findings)]))
  }
}
