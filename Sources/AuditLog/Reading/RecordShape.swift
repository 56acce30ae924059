import AccessPolicy

/// The members of a record of a connection in the order in which the encoder writes them, as a table that a
/// scanner walks along. What is not in the table, or stands in another place, is left to the strict parser.
struct RecordShape: Sendable {
  /// Where a scanned value is kept. Facts have the raw value of their field.
  enum Slot {
    static let count = 128
    static let timestamp: UInt8 = 64
    static let action: UInt8 = 65
    static let reason: UInt8 = 66
    static let eventID: UInt8 = 67
    static let caller: UInt8 = 68
    static let roles: UInt8 = 69
    static let rule: UInt8 = 70
    static let names: UInt8 = 71
    static let schema: UInt8 = 72
    static let verdict: UInt8 = 73
    static let matched: UInt8 = 74
    static let shadowVerdict: UInt8 = 75
    static let shadowReason: UInt8 = 76
    static let shadowRule: UInt8 = 77
    static let captures: UInt8 = 78
    static let connectionID: UInt8 = 79
    /// For members that nobody reads.
    static let none: UInt8 = 127
  }

  enum Kind: UInt8, Sendable {
    case text, texts, integer, flag
    /// An object of the table; the target is its number.
    case object
    /// An object of texts under any names.
    case foreign
  }

  struct Member: Sendable {
    var key: [UInt8]
    var kind: Kind
    var target: UInt8
  }

  /// The objects; the last one is the record itself.
  private(set) var objects: [[Member]] = []
  var root: Int { objects.count - 1 }

  static let shared = RecordShape()

  private init() {
    let event = add(
      [text("action", Slot.action), text("outcome"), text("reason", Slot.reason), text("code"), text("kind")]
        + [texts("category"), texts("type"), text("id", Slot.eventID), text("start"), text("end")]
        + [integer("duration"), integer("sequence"), text("hash")])
    let user = add([text("name", Slot.caller), texts("roles", Slot.roles)])
    let rule = add([text("name", Slot.rule), text("ruleset"), text("version")])
    let source = add(facts(FactLayout.source) + [integer("bytes")])
    let client = add(facts(FactLayout.client))
    let server = add([text("ip"), integer("port")])
    let destination = add([text("address"), text("ip"), integer("port"), integer("bytes")])
    let network = add([text("transport"), text("protocol")])
    let tls = addTLS()
    let error = add([text("code"), text("message")])
    let observer = add([text("name"), text("product"), text("version"), text("hostname")])
    let ecs = add([text("version")])
    let own = addOwn()
    _ = add([
      text("@timestamp", Slot.timestamp), object("event", event), object("user", user), object("rule", rule),
      object("source", source), object("client", client), object("server", server),
      object("destination", destination), object("network", network), object("tls", tls),
      object("error", error), object("observer", observer), object("ecs", ecs), object("countersign", own),
    ])
  }

  private mutating func addTLS() -> UInt8 {
    let hash = add(facts(FactLayout.hash))
    let subject = add(facts(FactLayout.subject))
    let issuer = add(facts(FactLayout.issuer))
    // Where a record does not hold every fact, the serial number stands in front.
    let serial = facts([(.serial, "serial_number")])
    let x509 = add(
      serial + [object("subject", subject), object("issuer", issuer), texts("alternative_names", Slot.names)]
        + facts(FactLayout.certificate))
    let client = add(
      facts(FactLayout.tlsClient)
        + [object("hash", hash), text("not_before"), text("not_after"), object("x509", x509)])
    return add(
      [flag("established"), text("version_protocol")] + facts(FactLayout.tls) + [object("client", client)])
  }

  private mutating func addOwn() -> UInt8 {
    let shadow = add([
      text("verdict", Slot.shadowVerdict), text("reason", Slot.shadowReason), text("rule", Slot.shadowRule),
    ])
    let connection = add([text("id", Slot.connectionID)])
    let postgres = add(facts(FactLayout.postgres))
    let mysql = add(facts(FactLayout.mysql))
    let empty = FactLayout.names.map { texts($0.field.name, $0.field.rawValue) }
    let facts = add(facts(FactLayout.rest) + empty)
    let integrity = add([text("chain_uid"), integer("sequence"), text("previous"), text("fingerprint")])
    return add(
      [integer("schema", Slot.schema), text("verdict", Slot.verdict), texts("matched", Slot.matched)]
        + [object("shadow", shadow), text("detail"), foreign("captures", Slot.captures)]
        + [object("connection", connection)] + self.facts(FactLayout.gateway)
        + [
          flag("unlogged"), text("closed_by"), flag("truncated"), object("postgres", postgres),
          object("mysql", mysql),
        ]
        + [object("facts", facts), object("integrity", integrity)])
  }

  private mutating func add(_ members: [Member]) -> UInt8 {
    objects.append(members)
    return UInt8(truncatingIfNeeded: objects.count - 1)
  }

  private func facts(_ members: [FactLayout.Member]) -> [Member] {
    members.map { member in
      let kind: Kind =
        switch member.field.kind {
        case .text, .instant, .clock, .address: .text
        case .texts, .addresses: .texts
        case .integer, .duration: .integer
        case .flag: .flag
        }
      return Member(key: Array(member.key.utf8), kind: kind, target: member.field.rawValue)
    }
  }

  private func text(_ key: String, _ slot: UInt8 = Slot.none) -> Member { member(key, .text, slot) }
  private func texts(_ key: String, _ slot: UInt8 = Slot.none) -> Member { member(key, .texts, slot) }
  private func integer(_ key: String, _ slot: UInt8 = Slot.none) -> Member { member(key, .integer, slot) }
  private func flag(_ key: String) -> Member { member(key, .flag, Slot.none) }
  private func foreign(_ key: String, _ slot: UInt8) -> Member { member(key, .foreign, slot) }
  private func object(_ key: String, _ number: UInt8) -> Member { member(key, .object, number) }

  private func member(_ key: String, _ kind: Kind, _ target: UInt8) -> Member {
    Member(key: Array(key.utf8), kind: kind, target: target)
  }
}
