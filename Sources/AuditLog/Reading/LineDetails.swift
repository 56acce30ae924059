import AccessPolicy

/// What a line for people says behind time and verdict.
struct LineDetails {
  var record: JSONValue

  func parts(_ action: String) -> [String] {
    let parts: [String?] =
      switch AuditAction(rawValue: action) {
      case .connectionAllowed, .connectionDenied:
        [caller, judgement, route, login, text("countersign", "detail"), shadow]
      case .handshakeFailed: [reason, route, error, failing]
      case .connectionClosed: [caller, reason, route, traffic]
      case .connectionRevoked: [caller, reason, text("countersign", "change"), route, traffic]
      case .upstreamFailed: [caller, reason, route, error]
      case .limitReached: [limit, caller, route]
      case .configurationLoaded: [counts]
      case .configurationRejected: [error, finding]
      case .gatewayStarted: ["version \(text("observer", "version") ?? "?")", listeners]
      case .gatewayStopping: [text("countersign", "gateway", "cause")]
      case .auditGap: [gap, error]
      case nil: [action]
      }
    return parts.compactMap { $0 }
  }

  private func text(_ path: String...) -> String? { record[path: path]?.text }

  private func number(_ path: String...) -> String? {
    guard case .number(let text) = record[path: path] else { return nil }
    return text
  }

  private var caller: String? {
    if let name = text("user", "name") { return name }
    // The names that a mapping would have gone by; certificates of services have no subject.
    let name =
      record["tls", "client", "x509", "alternative_names"]?.texts?.first
      ?? text("tls", "client", "x509", "subject", "distinguished_name")
    return name.map { "(\($0))" } ?? "(no caller)"
  }

  private var reason: String? { text("event", "reason") }

  private var judgement: String? {
    if let rule = text("rule", "name") {
      return reason == VerdictReason.rule.rawValue ? "rule \(rule)" : "rule \(rule), \(reason ?? "")"
    }
    return reason == VerdictReason.default.rawValue ? "no rule allows it" : reason
  }

  /// What the client of a database asked for.
  private var login: String? {
    let user = text("countersign", "postgres", "user") ?? text("countersign", "mysql", "user")
    let database = text("countersign", "postgres", "database") ?? text("countersign", "mysql", "database")
    guard user != nil || database != nil else { return nil }
    return "as \(user ?? "?")" + (database.map { " in \($0)" } ?? "")
  }

  private var route: String? {
    let ip = text("client", "ip") ?? text("source", "ip")
    let port = text("client", "ip") == nil ? number("source", "port") : number("client", "port")
    let source = ip.map { ($0.contains(":") ? "[\($0)]" : $0) + (port.map { ":\($0)" } ?? "") }
    guard let listener = text("countersign", "listener") else { return source }
    return "\(source ?? "unix") → \(listener)"
  }

  /// Only where it differs: the rules in shadow mode would have judged otherwise.
  private var shadow: String? {
    guard let verdict = text("countersign", "shadow", "verdict"), verdict != text("countersign", "verdict")
    else { return nil }
    return "shadow: \(verdict)" + (text("countersign", "shadow", "rule").map { " by \($0)" } ?? "")
  }

  private var error: String? {
    let parts = [text("error", "code"), text("error", "message")].compactMap { $0 }
    return parts.isEmpty ? nil : parts.joined(separator: ": ")
  }

  private var failing: String? {
    let subject =
      text("countersign", "failure", "subject")
      ?? text("tls", "client", "x509", "subject", "distinguished_name")
    return subject.map { "subject \($0)" }
  }

  private var traffic: String? {
    guard let up = number("source", "bytes"), let down = number("destination", "bytes") else { return nil }
    let duration = number("event", "duration").flatMap { Int64($0) }.map { ", \($0 / 1_000_000) ms" } ?? ""
    let cut = record["countersign", "truncated"]?.flag == true ? ", cut off without close_notify" : ""
    return "\(up) B up, \(down) B down\(duration)\(cut)"
  }

  private var limit: String? {
    guard let name = text("countersign", "limit", "name"), let value = number("countersign", "limit", "value")
    else { return nil }
    let count = number("countersign", "limit", "count") ?? "1"
    return "\(name) \(value)" + (count == "1" ? "" : ", \(count) connections")
  }

  private var counts: String? {
    guard let listeners = number("countersign", "configuration", "listeners"),
      let callers = number("countersign", "configuration", "callers"),
      let rules = number("countersign", "configuration", "rules")
    else { return nil }
    return "listeners \(listeners), callers \(callers), rules \(rules)"
  }

  private var finding: String? {
    guard case .array(let findings) = record["countersign", "findings"], let first = findings.first,
      let file = first["file"]?.text
    else { return nil }
    let line = first["line"]?.integer ?? 0
    return line > 0 ? "\(file):\(line)" : file
  }

  private var listeners: String? {
    guard case .array(let listeners) = record["countersign", "gateway", "listeners"] else { return nil }
    return listeners.compactMap { listener in
      guard let name = listener["name"]?.text, let address = listener["address"]?.text else { return nil }
      return "\(name) on \(address)"
    }.joined(separator: ", ")
  }

  private var gap: String? { number("countersign", "gap", "lost").map { "\($0) records lost" } }
}
