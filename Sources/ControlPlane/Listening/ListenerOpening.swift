import DataPlane
import EventLoop

/// Opens the sockets of listeners and gives them to the workers.
struct ListenerOpening {
  private static let backlog: Int32 = 4096

  let workers: [Worker]
  let handedOver: HandedOverSockets
  /// The files of the Unix sockets that were opened.
  private(set) var files: [UnixSocketFile] = []

  init(workers: [Worker], handedOver: HandedOverSockets) {
    self.workers = workers
    self.handedOver = handedOver
  }

  /// Throws EADDRINUSE where another process listens on the address. Ask of all listeners before any is
  /// opened: one of them may have a wildcard address that covers another's.
  func check(_ listener: ListenerSnapshot) throws(SystemError) {
    guard case .opened(let address, _) = listener.address else { return }
    try ListeningSocket.checkUnused(address)
  }

  /// - Returns: the addresses as bound; several where the service manager handed several over under one name.
  mutating func open(_ listener: ListenerSnapshot, limit: Admission) throws -> [NetworkAddress] {
    switch listener.address {
    case .opened(let address, let access):
      if case .unix = address { return [try openFile(listener, address, access, limit)] }
      return [try openPort(listener, address, limit)]
    case .handedOver(let name):
      return try handedOver.numbers(named: name).map { number in
        try share(try HandedOverSockets.socket(number), listener, limit)
      }
    }
  }

  /// A socket of its own for each worker on one port: the kernel spreads the connections (SO_REUSEPORT).
  private func openPort(
    _ listener: ListenerSnapshot, _ address: NetworkAddress, _ limit: Admission
  ) throws(SystemError) -> NetworkAddress {
    var address = address
    for worker in workers {
      let socket = try ListeningSocket.listen(on: address, backlog: Self.backlog, reusePort: true)
      // With port 0 the first worker learns the port, and the others join it there.
      address = socket.localAddress() ?? address
      try worker.listen(listener, on: socket, mode: .level, admission: limit)
    }
    return address
  }

  /// One socket for all workers: a path can be bound once.
  private mutating func openFile(
    _ listener: ListenerSnapshot, _ address: NetworkAddress, _ access: UnixSocketAccess, _ limit: Admission
  ) throws(SystemError) -> NetworkAddress {
    let socket = try ListeningSocket.listen(
      on: address, backlog: Self.backlog, reusePort: false, access: access)
    if let file = socket.file { files.append(file) }
    _ = try share(socket, listener, limit)
    return address
  }

  /// One socket for all workers, each with a descriptor of its own.
  private func share(
    _ socket: consuming ListeningSocket, _ listener: ListenerSnapshot, _ limit: Admission
  ) throws(SystemError) -> NetworkAddress {
    let address = socket.localAddress() ?? .unix("")
    do throws(SystemError) {
      for worker in workers {
        try worker.listen(listener, on: try socket.duplicate(), mode: .shared, admission: limit)
      }
    } catch {
      socket.close()
      throw error
    }
    socket.close()
    return address
  }
}
