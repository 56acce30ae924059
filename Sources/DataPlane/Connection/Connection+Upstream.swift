import AccessPolicy
import AuditLog
import EventLoop
import GatewayConfiguration

extension Connection {
  /// The record is accepted: turns decision and receipt into a permit, and dials with it.
  func dialUpstream(_ worker: Worker) {
    guard let decision, let receipt, let permit = Permit(decision, recorded: receipt) else {
      return handle(.upstreamFailed(.internal), worker)
    }
    relay = Relay(permit)
    // A cancel goes where the query runs.
    if let cancelled {
      dial = UpstreamDial(.addresses([UpstreamTarget(address: cancelled.address)]))
    } else {
      dial = UpstreamDial(worker.addresses.candidates(for: listener.snapshot.upstream.addresses))
    }
    dialNext(worker)
  }

  /// A verdict about the same connection as somebody else, with its record.
  /// - Returns: false where the decision is none that allows.
  func renewPermit(_ decision: Decision, _ receipt: AuditReceipt) -> Bool {
    guard let permit = Permit(decision, recorded: receipt) else { return false }
    relay?.renew(permit)
    return true
  }

  func dialNext(_ worker: Worker) {
    while let target = dial?.next() {
      do {
        let socket = try StreamSocket.connect(to: target.address)
        let number = socket.number
        upstream = Side(socket)
        try worker.poller.add(number, token: PollTag.upstream(token).raw, mode: .edge)
        return
      } catch {
        hangUpUpstream(worker)
        dial?.failed(error)
      }
    }
    handle(.upstreamFailed(dial?.lastReason ?? .upstreamUnreachable), worker)
  }

  /// The kernel has news of the socket that is being connected.
  func finishDialling(_ worker: Worker) {
    guard upstream?.socket.isWritable == true else { return }
    if let error = upstream?.socket.connectError() {
      hangUpUpstream(worker)
      dial?.failed(error)
      dialNext(worker)
    } else {
      handle(.upstreamConnected, worker)
    }
  }

  func hangUpUpstream(_ worker: Worker) {
    upstream?.close(reset: false, worker.poller)
    upstream = nil
  }
}
