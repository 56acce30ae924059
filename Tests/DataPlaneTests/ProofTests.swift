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
    for clearance in Self.clearances { #expect(Self.ruleOfPermit(denied, clearance) == nil) }
  }

  @Test func aPermitComesOfAnAllowanceAndItsClearance() {
    let allowed = Decision(verdict: .allow, reason: .rule, rule: "r")
    for clearance in Self.clearances { #expect(Self.ruleOfPermit(allowed, clearance) == "r") }
  }

  private static let clearances: [AuditClearance] = [
    .recorded(AuditReceipt(sequence: 1)), .waived(AuditWaiver(AuditUnavailable(message: "disk full"))),
  ]

  /// The rule that a permit names; nil where there is no permit.
  private static func ruleOfPermit(_ decision: Decision, _ clearance: AuditClearance) -> String? {
    switch Permit(decision, cleared: clearance) {
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
