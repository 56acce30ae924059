import AccessPolicy
import ArgumentParser
import ControlPlane
import GatewayConfiguration
import TLSEngine
import Workbench

/// A client that connects to a listener, as far as the command line describes it.
struct ClientOfListener {
  private(set) var facts = Facts()

  /// What every client of the listener has.
  init(_ listener: Listener) {
    facts[.listener] = .text(listener.name.value)
    facts[.upstream] = .text(listener.upstream.value)
    facts[.protocol] = .text(listener.wireProtocol.rawValue)
    // A client's first connection; and what leaves it no choice.
    facts[.resumed] = .flag(false)
    if listener.tls.minVersion == .tls13 { facts[.tlsVersion] = .text("1.3") }
    if listener.tls.alpn.count == 1 { facts[.alpn] = .text(listener.tls.alpn[0]) }
  }

  mutating func give(serverName: String?, sourceIP: String?, assignments: [String]) throws {
    if let serverName {
      guard let name = ServerName.canonical(serverName) else {
        throw ValidationError("--server-name \(serverName): no client can ask for such a host name")
      }
      facts[.serverName] = .text(name)
    }
    if let sourceIP {
      guard let address = IPAddress(sourceIP) else {
        throw ValidationError("--source-ip \(sourceIP): expected an IPv4 or IPv6 address")
      }
      // Without a PROXY header the client is who the TCP peer is; --set client_ip says otherwise.
      facts[.sourceIP] = .address(address)
      facts[.clientIP] = .address(address)
    }
    do throws(GivenFacts.Problem) {
      facts.merge(try GivenFacts.parse(assignments))
    } catch {
      throw ValidationError(error.message)
    }
  }
}

/// Verifies a chain as a listener does, and asks the policies.
struct ChainExplanation {
  private let loaded: LoadedConfiguration
  private let tls: ServerTLS
  private let material: TLSMaterial
  private let client: ClientOfListener

  init(_ loaded: LoadedConfiguration, position: Int, client: ClientOfListener) {
    self.loaded = loaded
    self.client = client
    tls = loaded.configuration.listeners[position].tls
    material = loaded.tls[position]
  }

  func report(chainFile: String, at: Timestamp) throws -> ExplanationReport {
    let (verifier, host) = try trust()
    var facts = client.facts
    var verification = ExplanationReport.Verification.ok
    switch PresentedChain.read(pem: try read(chainFile)) {
    case .noCertificate:
      throw CannotGoOn.because("\(chainFile): no PEM certificate was found; openssl x509 turns DER into PEM")
    case .refused(let failure): verification = Self.verification(failure)
    case .chain(let chain):
      facts.merge(chain.facts)
      if let verifier {
        let outcome = verifier.verify(chain, at: at)
        facts.merge(outcome.facts)
        if let failure = outcome.failure { verification = Self.verification(failure) }
      }
    }
    // A handshake comes to the name before it comes to the certificate.
    if verifier == nil { verification = Self.verification(.unknownServerName(serverName)) }
    return ExplanationReport(
      at: at, verification: verification, facts: facts,
      explanation: verification.refusal == nil ? loaded.policy.explain(facts, at: at) : nil,
      documents: loaded.documents, host: host)
  }

  private var serverName: String? {
    if case .text(let name)? = client.facts[.serverName] { name } else { nil }
  }

  /// - Returns: who verifies a client that asks for this name, nil where it is refused; and which host it gets,
  ///   where there are hosts.
  private func trust() throws -> (verifier: ChainVerifier?, host: String?) {
    let selector = HostSelector(
      names: tls.hosts.map { $0.serverNames.map(\.value) }, refusesUnknown: tls.unknownServerName == .refuse)
    switch selector.choose(serverName) {
    case .refused: return (nil, nil)
    case .listener:
      return (try verifier(material.clientCA, tls.clientCA), tls.hosts.isEmpty ? nil : "the listener's own")
    case .host(let index):
      let host = tls.hosts[index]
      return (
        try verifier(
          material.hosts[index].clientCA ?? material.clientCA, host.clientCA ?? tls.clientCA),
        host.description
      )
    }
  }

  private func verifier(_ bundles: [TrustBundleFile], _ files: [ClientCAFile]) throws -> ChainVerifier {
    do throws(TLSConfigurationError) {
      let revocation = SnapshotBuilder.revocation(tls.revocation, material)
      return try ChainVerifier(TrustOptions(bundles: bundles, revocation: revocation))
    } catch {
      let file = error.subject == .clientCRL ? tls.revocation.files[error.file] : files[error.file].file
      FindingsReport([
        Diagnostic(
          .error, at: file.location, code: error.code, message: "\(file.value): \(error.message)",
          hint: error.hint)
      ]).printText()
      throw ExitCode(2)
    }
  }

  private func read(_ path: String) throws -> [UInt8] {
    do throws(FileProblem) {
      return try ExplainingFiles.chain(path)
    } catch {
      throw CannotGoOn.because(error.message)
    }
  }

  private static func verification(_ failure: HandshakeFailure) -> ExplanationReport.Verification {
    .init(
      refusal: failure.reason, error: failure.code, message: failure.message, depth: failure.depth,
      subject: failure.subject)
  }
}
