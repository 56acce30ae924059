import AccessPolicy
import DataPlane
import Foundation
import TLSEngine

/// What the demo runs on: a folder with a throw-away CA's certificates, a policy and a configuration, all as
/// a user would have them.
struct DemoFiles {
  /// A client of the demo, with what is to be seen of it.
  struct Client {
    let title: String
    let file: String
    let uri: String
    let expectation: String
  }

  static let clients = [
    Client(
      title: "the worker 'orders', which a rule allows", file: "orders",
      uri: "spiffe://demo.example/worker/orders", expectation: "allowed"),
    Client(
      title: "the worker 'billing', which no rule allows", file: "billing",
      uri: "spiffe://demo.example/worker/billing", expectation: "denied"),
    Client(
      title: "a stranger: the same CA, but a certificate that names no caller", file: "stranger",
      uri: "spiffe://demo.example/printer/3rd-floor", expectation: "denied"),
  ]

  static let policy = """
    version: 1
    callers:
      - name: worker/{worker}
        match: { san_uri: "spiffe://demo.example/worker/{worker}" }
    rules:
      - name: orders-may-connect
        action: allow
        callers: [worker/orders]

    """

  let folder: URL
  private let authority: IssuedCertificate
  private let validity: (from: Timestamp, to: Timestamp)

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("countersign-demo-\(UUID().uuidString.prefix(8).lowercased())")
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let now = Clock.system.wall().seconds
    validity = (Timestamp(seconds: now - 3600), Timestamp(seconds: now + 86_400))
    authority = try ThrowawayAuthority.selfSigned(
      .authority("Countersign demo CA", notBefore: validity.from, notAfter: validity.to))
    try write("ca.pem", authority.pem)
    try write("policy.yaml", Array(Self.policy.utf8))
    try issue("server", .server("localhost", notBefore: validity.from, notAfter: validity.to))
    for client in Self.clients {
      var template = CertificateTemplate.client(
        client.file, notBefore: validity.from, notAfter: validity.to)
      template.alternativeNames = [.uri(client.uri)]
      try issue(client.file, template)
    }
  }

  /// Writes the configuration, now that the ports are known.
  func configure(port: UInt16, upstreamPort: UInt16) throws -> String {
    let text = """
      version: 1
      listeners:
        - name: demo
          listen: 127.0.0.1:\(port)
          tls:
            certificate: server.pem
            private_key: server.key
            client_ca: ca.pem
          upstream: service
      upstreams:
        - name: service
          address: 127.0.0.1:\(upstreamPort)
      policies: [policy.yaml]
      audit: { path: audit.log }

      """
    try write("countersign.yaml", Array(text.utf8))
    return path("countersign.yaml")
  }

  func path(_ file: String) -> String { folder.appendingPathComponent(file).path }

  func read(_ file: String) throws -> [UInt8] {
    Array(try Data(contentsOf: folder.appendingPathComponent(file)))
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  private func issue(_ name: String, _ template: CertificateTemplate) throws {
    let certificate = try ThrowawayAuthority.issue(template, by: authority)
    try write("\(name).pem", certificate.pem)
    try write("\(name).key", certificate.keyPEM)
  }

  private func write(_ file: String, _ bytes: [UInt8]) throws {
    let url = folder.appendingPathComponent(file)
    try Data(bytes).write(to: url)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: url.path)
  }
}
