import AccessPolicy
import AuditLog
import DataPlane
import EventLoop
import GatewayConfiguration
import TLSEngine
import Testing

/// The proofs that lead to the upstream cannot be had without what they prove.
struct ProofTests {
  @Test func thereIsNoPermitForADenial() {
    let denied = Decision(verdict: .deny, reason: .rule, rule: "d")
    #expect(Self.ruleOfPermit(denied) == nil)
  }

  @Test func aPermitComesOfAnAllowanceAndItsRecord() {
    let allowed = Decision(verdict: .allow, reason: .rule, rule: "r")
    #expect(Self.ruleOfPermit(allowed) == "r")
  }

  /// The rule that a permit names; nil where there is no permit.
  private static func ruleOfPermit(_ decision: Decision) -> String? {
    switch Permit(decision, recorded: AuditReceipt(sequence: 1)) {
    case .some(let permit): permit.decision.rule
    case .none: nil
    }
  }

  @Test func nobodyIsVerifiedBeforeTheHandshakeIsComplete() throws {
    let pki = try TestPKI.shared.get()
    let context = try pki.serverContext()
    let listener = ListenerSnapshot(
      name: "front", address: .handedOver("none"), tls: context,
      upstream: UpstreamSnapshot(name: "back", addresses: [.unix("/none")], connectTimeout: .seconds(1)),
      limits: Limits())
    let buffers = RecordBuffers(inboundCapacity: 4096, outboundCapacity: 4096)
    let session = try TLSSession(context, buffers: buffers)
    let peer = UnverifiedPeer(address: .v4(0x7f00_0001, port: 1), listener: listener)
    #expect(VerifiedPeer(peer, session: session) == nil)
  }
}
