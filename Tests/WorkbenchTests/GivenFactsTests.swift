import AccessPolicy
import Testing
import Workbench

/// `--set FIELD=VALUE`.
struct GivenFactsTests {
  @Test func valuesAreReadByTheirFields() throws {
    let facts = try GivenFacts.parse([
      "postgres_user=a=b", "source_port=5", "resumed=true", "client_ip=10.0.0.1", "mysql_user=",
    ])
    #expect(facts.fields == [.resumed, .sourcePort, .clientIP, .postgresUser, .mysqlUser])
    #expect(facts[.postgresUser] == .text("a=b"))
    #expect(facts[.sourcePort] == .integer(5))
    #expect(facts[.resumed] == .flag(true))
    #expect(facts[.clientIP] == .address(IPAddress(v4: 0x0a00_0001)))
    #expect(facts[.mysqlUser] == .text(""))
    #expect(try GivenFacts.parse([]).fields.isEmpty)
  }

  static let refused: [([String], String)] = [
    (["postgres_user"], "--set postgres_user: expected FIELD=VALUE, such as postgres_user=orders_ro"),
    (
      ["postgres_usr=a"],
      "--set postgres_usr: there is no field 'postgres_usr'; did you mean 'postgres_user'?"
    ),
    (
      ["zzzzzzzzzzz=a"],
      "--set zzzzzzzzzzz: there is no field 'zzzzzzzzzzz'; the fields are listed in Policies/REFERENCE.md"
    ),
    (["source_port=many"], "--set source_port: expected a whole number, found 'many'"),
    (["client_ip=10.0.0"], "--set client_ip: expected an IPv4 or IPv6 address, found '10.0.0'"),
    (["postgres_user=a", "postgres_user=b"], "--set postgres_user: postgres_user has one value, found 2"),
    (
      ["san_uri=x://a"],
      "--set san_uri: the certificate says this; with another value it would not be this certificate"
    ),
    (
      ["root_sha256=aa"],
      "--set root_sha256: the certificate says this; with another value it would not be this certificate"
    ),
    (["time=08:00"], "--set time: give the moment by --at"),
    (["listener=db"], "--set listener: this follows from --listener"),
    (["server_name=a"], "--set server_name: give the name by --server-name"),
    (["source_ip=10.0.0.1"], "--set source_ip: give the address by --source-ip"),
  ]

  @Test(arguments: refused)
  func whatCannotBeGivenIsRefused(_ assignments: [String], _ message: String) {
    let problem = #expect(throws: GivenFacts.Problem.self) { try GivenFacts.parse(assignments) }
    #expect(problem?.message == message)
  }
}
