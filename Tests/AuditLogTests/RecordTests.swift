import AccessPolicy
import AuditLog
import Foundation
import Testing

@Suite struct RecordTests {
  @Test func aDecisionHoldsWhatTheContractNames() throws {
    let line = String(decoding: Sample.record(.decision(Sample.judged())).bytes, as: UTF8.self)
    #expect(line == Self.golden.split(separator: "\n").joined())
  }

  /// Line breaks are for reading; the record is one line.
  static let golden = """
    {"@timestamp":"2026-11-24T14:11:08.123456789Z",
    "event":{"action":"connection-allowed","outcome":"success","reason":"rule","code":"CS100I","kind":"event",
    "category":["network"],"type":["connection","start","allowed"],
    "id":"00000000000000000000000000000001","start":"2026-11-24T14:11:08.100Z"},
    "user":{"name":"worker/orders","roles":["workers"]},
    "rule":{"name":"orders-reads","ruleset":"Policies/a.yaml","version":"ab12"},
    "source":{"ip":"10.1.2.3","port":50123},
    "client":{"ip":"192.0.2.7","port":40001},
    "server":{"ip":"10.1.0.1","port":6432},
    "destination":{"address":"db.internal:5432","ip":"10.2.0.1","port":5432},
    "network":{"transport":"tcp","protocol":"postgres"},
    "tls":{"established":true,"version_protocol":"tls","version":"tls_version value",
    "cipher":"tls_cipher value","curve":"tls_group value","resumed":false,"next_protocol":"alpn value",
    "client":{"server_name":"server_name value","hash":{"sha256":"sha256 value"},
    "not_before":"2026-09-21T14:13:20Z","not_after":"2262-04-11T23:47:16.854775807Z",
    "x509":{"subject":{"distinguished_name":"subject_dn value",
    "common_name":["subject_cn one","subject_cn:two"],"organization":["subject_o one","subject_o:two"],
    "organizational_unit":["subject_ou one","subject_ou:two"],"country":["subject_c one","subject_c:two"],
    "locality":["subject_l one","subject_l:two"],"state_or_province":["subject_st one","subject_st:two"]},
    "issuer":{"distinguished_name":"issuer_dn value",
    "common_name":["issuer_cn one","issuer_cn:two"],"organization":["issuer_o one","issuer_o:two"],
    "organizational_unit":["issuer_ou one","issuer_ou:two"],"country":["issuer_c one","issuer_c:two"],
    "locality":["issuer_l one","issuer_l:two"],"state_or_province":["issuer_st one","issuer_st:two"]},
    "alternative_names":["URI:san_uri one","URI:san_uri:two","DNS:san_dns one","DNS:san_dns:two",
    "email:san_email one","email:san_email:two","IP:10.1.2.3","IP:10.1.2.4","UPN:san_upn one",
    "UPN:san_upn:two"],"serial_number":"serial value","not_before":"2026-09-21T14:13:20Z",
    "not_after":"2262-04-11T23:47:16.854775807Z","public_key_algorithm":"key_type value",
    "public_key_size":256}}},
    "observer":{"name":"countersign","product":"Countersign","version":"0.1.0","hostname":"gate-1"},
    "ecs":{"version":"9.0.0"},
    "countersign":{"schema":1,"verdict":"allow","matched":["log-all","orders-reads"],
    "shadow":{"verdict":"deny","reason":"rule","rule":"no-nights"},
    "captures":{"worker":"orders"},"connection":{"id":"c-1"},"listener":"orders-db","upstream":"orders",
    "postgres":{"user":"postgres_user value","database":"postgres_database value",
    "application":"postgres_application value","replication":"postgres_replication value"},
    "mysql":{"user":"mysql_user value","database":"mysql_database value"},
    "facts":{"protocol":"postgres","trust_label":"trust_label value","eku":["eku one","eku:two"],
    "spki_sha256":"spki_sha256 value","ski":"ski value","issuer_ski":"issuer_ski value",
    "root_sha256":"root_sha256 value","chain_length":2,
    "subject_dc":["subject_dc one","subject_dc:two"],"subject_uid":["subject_uid one","subject_uid:two"],
    "subject_serial_number":["subject_serial_number one","subject_serial_number:two"],
    "issuer_dc":["issuer_dc one","issuer_dc:two"],"issuer_uid":["issuer_uid one","issuer_uid:two"],
    "issuer_serial_number":["issuer_serial_number one","issuer_serial_number:two"]}}}
    """

  @Test(arguments: Sample.events) func everyRecordIsOneLineOfJSON(_ event: AuditEvent) throws {
    let record = Sample.record(event)
    #expect(!record.bytes.contains(UInt8(ascii: "\n")))
    let json = try Sample.json(event)
    #expect(json[path: "ecs.version"] as? String == "9.0.0")
    #expect(json[path: "event.action"] as? String == event.action.rawValue)
    #expect(json[path: "countersign.schema"] as? Int == 1)
  }

  /// `event.action`, `event.code`, outcome and reason, as the contract's tables have them.
  @Test func everyActionHasItsCode() throws {
    let expected: [(String, String, String, String?)] = [
      ("connection-allowed", "CS100I", "success", "rule"),
      ("connection-denied", "CS101W", "failure", "default"),
      ("handshake-failed", "CS102W", "failure", "certificate_expired"),
      ("connection-closed", "CS103I", "success", "client_closed"),
      ("connection-revoked", "CS104W", "failure", "policy_changed"),
      ("upstream-failed", "CS105E", "failure", "upstream_unreachable"),
      ("limit-reached", "CS106W", "failure", "limit"),
      ("configuration-loaded", "CS200I", "success", nil),
      ("configuration-rejected", "CS201E", "failure", nil),
      ("gateway-started", "CS210I", "success", nil),
      ("gateway-stopping", "CS211I", "success", nil),
      ("audit-gap", "CS212E", "failure", nil),
    ]
    #expect(expected.map(\.0) == AuditAction.allCases.map(\.rawValue))
    for (event, row) in zip(Sample.events, expected) {
      let json = try Sample.json(event)
      #expect(json[path: "event.action"] as? String == row.0)
      #expect(json[path: "event.code"] as? String == row.1)
      #expect(json[path: "event.outcome"] as? String == row.2)
      #expect(json[path: "event.reason"] as? String == row.3)
    }
  }

  @Test func aClosedConnectionSaysWhoAndHowMuch() throws {
    let json = try Sample.json(Sample.events[3])
    #expect(json[path: "source.bytes"] as? UInt64 == 10)
    #expect(json[path: "destination.bytes"] as? Int64 == .max)
    #expect(json[path: "event.duration"] as? Int == 1_500_000_000)
    #expect(json[path: "event.end"] as? String == "2026-11-24T14:11:09.600Z")
    #expect(json[path: "countersign.closed_by"] as? String == "client")
    #expect(json[path: "countersign.truncated"] as? Bool == true)
    #expect(json[path: "user.name"] as? String == "worker/orders")
    #expect(json[path: "rule.name"] as? String == "orders-reads")
    #expect(json[path: "countersign.connection.id"] as? String == "c-1")
    #expect(json[path: "countersign.facts"] == nil)
  }

  @Test func anInternalEndIsAFailure() throws {
    let event = AuditEvent.connectionClosed(
      .init(connection: Sample.judged(), reason: .internal, ending: Sample.ending))
    #expect(try Sample.json(event)[path: "event.outcome"] as? String == "failure")
  }

  @Test func aFailedHandshakeHoldsErrorAndCertificate() throws {
    let json = try Sample.json(Sample.events[2])
    #expect(json[path: "error.code"] as? String == "X509_V_ERR_CERT_HAS_EXPIRED")
    #expect(json[path: "error.message"] as? String == "certificate has expired")
    #expect(json[path: "countersign.failure.depth"] as? Int == 0)
    #expect(json[path: "countersign.failure.subject"] as? String == "CN=orders")
    #expect(json[path: "tls.established"] as? Bool == false)
    #expect(json[path: "tls.client.server_name"] as? String == "server_name value")
    #expect(json[path: "tls.client.x509.serial_number"] as? String == "serial value")
    #expect(json[path: "countersign.verdict"] == nil)
  }

  @Test func nothingUnknownIsWritten() throws {
    let context = ConnectionContext(
      id: "c-2", start: Sample.start, listener: "orders-db", upstream: "orders", facts: Facts())
    let event = AuditEvent.handshakeFailed(
      .init(context: context, reason: .clientClosed, message: "the client closed"))
    let json = try Sample.json(event)
    #expect(
      Set(json.keys) == ["@timestamp", "event", "tls", "error", "observer", "ecs", "countersign"])
    #expect(json[path: "tls"] as? [String: Bool] == ["established": false])
    #expect(json[path: "countersign.listener"] as? String == "orders-db")
  }

  @Test func aDefaultDenialNamesNoRule() throws {
    let json = try Sample.json(.decision(Sample.judged(.deny)))
    #expect(json[path: "rule.name"] == nil)
    #expect(json[path: "countersign.verdict"] as? String == "deny")
    #expect((json[path: "countersign.matched"] as? [String])?.isEmpty == true)
  }

  @Test func aRevocationSaysWhatChanged() throws {
    let json = try Sample.json(Sample.events[4])
    #expect(json[path: "countersign.change"] as? String == "rule orders-reads was removed")
    #expect(json[path: "countersign.judged_again.reason"] as? String == "default")
    #expect(json[path: "event.type"] as? [String] == ["connection", "end", "denied"])
  }

  @Test func theGatewaysOwnRecordsHoldTheirNumbers() throws {
    let limit = try Sample.json(Sample.events[6])
    #expect(limit[path: "countersign.limit.value"] as? Int == 10_000)
    #expect(limit[path: "countersign.limit.count"] as? Int == 7)
    #expect(limit[path: "countersign.limit.scope"] as? String == "gateway")
    let loaded = try Sample.json(Sample.events[7])
    #expect(
      loaded[path: "countersign.configuration.files"] as? [[String: String]]
        == [["path": "countersign.yaml", "sha256": "00ff"]])
    let rejected = try Sample.json(Sample.events[8])
    let findings = rejected[path: "countersign.findings"] as? [[String: Any]]
    #expect(findings?.first?["line"] as? Int == 3)
    #expect(findings?.first?["hint"] as? String == "did you mean “when”?")
    #expect(rejected[path: "error.message"] as? String == "unknown key “wen”")
    let gap = try Sample.json(Sample.events[11])
    #expect(gap[path: "countersign.gap.lost"] as? Int == 12)
    #expect(gap[path: "event.start"] as? String == "2026-11-24T14:11:08.100Z")
    #expect(gap[path: "error.code"] as? String == "ENOSPC")
  }
}
