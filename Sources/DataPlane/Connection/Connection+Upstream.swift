import AccessPolicy
import EventLoop
import GatewayConfiguration

extension Connection {
  /// The audit log has answered: turns decision and clearance into a permit, and dials with it.
  func dialUpstream(_ worker: Worker) {
    guard let decision, let clearance, let permit = Permit(decision, cleared: clearance) else {
      return handle(.upstreamFailed(.internal), worker)
    }
    relay = Relay(permit)
    dial = UpstreamDial(worker.addresses.candidates(for: listener.snapshot.upstream.address))
    dialNext(worker)
  }

  private func dialNext(_ worker: Worker) {
    while let address = dial?.next() {
      do {
        let socket = try StreamSocket.connect(to: address)
        let number = socket.number
        upstream = SocketEnd(socket)
        try worker.poller.add(number, token: PollTag.upstream(token).raw, mode: .edge)
        return
      } catch {
        hangUpUpstream(worker)
        dial?.failed(error)
      }
    }
    handle(.upstreamFailed(.upstreamUnreachable), worker)
  }

  /// The kernel has news of the socket that is being connected.
  func finishDialling(_ worker: Worker) {
    guard let isWritable = upstream?.isWritable, isWritable else { return }
    if let error = upstream?.connectError() {
      hangUpUpstream(worker)
      dial?.failed(error)
      dialNext(worker)
    } else {
      handle(.upstreamConnected, worker)
    }
  }

  private func hangUpUpstream(_ worker: Worker) {
    upstream?.close(reset: false, worker.poller)
    upstream = nil
  }
}

extension UpstreamSnapshot {
  /// The one address that needs no resolving.
  var fixedAddress: NetworkAddress? {
    switch address {
    case .ip(let ip, let port): NetworkAddress(ip: ip, port: port)
    case .unix(let path): .unix(path)
    case .name: nil
    }
  }

  /// The name that has to be resolved before the upstream can be dialled; nil where there is none.
  package var resolvedName: UpstreamAddresses.Name? {
    guard case .name(let name, let port) = address else { return nil }
    return UpstreamAddresses.Name(name: name, port: port)
  }
}
