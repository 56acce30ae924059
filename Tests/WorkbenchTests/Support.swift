import AccessPolicy
import AuditLog
import Foundation
import GatewayConfiguration
import Workbench

/// Policies as text, and reports as a parser that is not ours reads them.
enum Make {
  static let now = Timestamp(seconds: 1_800_000_000)  // 2027-01-15T08:00:00Z

  struct Broken: Error { let findings: [Diagnostic] }

  static func policy(
    _ text: String, file: String = "p.yaml"
  ) throws -> (policy: Policy, documents: [PolicyDocument]) {
    let (document, findings) = PolicyReader.read(Array(text.utf8), file: file)
    guard let document else { throw Broken(findings: findings) }
    let (policy, diagnostics) = Policy.compile([document], listeners: nil)
    guard let policy else { throw Broken(findings: diagnostics) }
    return (policy, [document])
  }

  static let workers = """
    version: 1
    callers:
      - name: worker/{worker}
        groups: [workers]
        match: { san_uri: "spiffe://acme.example/worker/{worker}" }
      - name: printer
        match: { subject_cn: printer }
    rules:
      - name: orders
        action: allow
        callers: [worker/orders]
        when: { postgres_user: orders_ro }
      - name: trial
        action: deny
        mode: shadow
        unless: { source_ip: 10.0.0.0/8 }

    """

  static func facts(_ values: (Field, FactValue)...) -> Facts {
    var facts = Facts()
    for (field, value) in values { facts[field] = value }
    return facts
  }

  static let orders = facts(
    (.sanURI, .texts(["spiffe://acme.example/worker/orders"])), (.listener, .text("db")),
    (.postgresUser, .text("orders_ro")))

  static func object(_ json: String) throws -> [String: Any] {
    try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any] ?? [:]
  }
}

extension [String: Any] {
  /// The member behind names with dots, as text; `nil` where there is none or null.
  func text(_ path: String) -> String? {
    var value: Any? = self
    for name in path.split(separator: ".") { value = (value as? [String: Any])?[String(name)] }
    return value.flatMap { $0 is NSNull ? nil : "\($0)" }
  }
}
