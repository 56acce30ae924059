import AuditLog
import Foundation

/// A record as a reader of the log sees it.
struct TestRecord: Sendable {
  let action: String
  let reason: String?
  private let flat: [String: String]

  init(_ record: EncodedRecord) {
    let parsed = try? JSONSerialization.jsonObject(with: Data(record.bytes))
    var flat: [String: String] = [:]
    Self.flatten(parsed ?? [:], "", into: &flat)
    self.flat = flat
    self.action = flat["event.action"] ?? "not JSON: \(String(decoding: record.bytes, as: UTF8.self))"
    self.reason = flat["event.reason"]
  }

  /// The value at a dotted path, as text.
  subscript(_ path: String) -> String? { flat[path] }

  private static func flatten(_ value: Any, _ path: String, into flat: inout [String: String]) {
    if let object = value as? [String: Any] {
      for (key, child) in object { flatten(child, path.isEmpty ? key : "\(path).\(key)", into: &flat) }
    } else if let array = value as? [Any] {
      flat[path] = array.map { "\($0)" }.joined(separator: ",")
    } else if let number = value as? NSNumber {
      flat[path] = number.stringValue
    } else {
      flat[path] = "\(value)"
    }
  }
}
