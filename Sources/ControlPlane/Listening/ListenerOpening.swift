import DataPlane
import EventLoop

/// Sockets of one listener, for every worker its own.
struct OpenedListener {
  let listener: ListenerSnapshot
  /// The addresses as bound; several where the service manager handed several over under one name.
  let bound: [NetworkAddress]
  let mode: PollMode
  /// Of each worker.
  let sockets: [[ListeningSocketBox]]
  /// The file of a Unix socket that was opened.
  let file: UnixSocketFile?

  /// Gives the sockets up again: nobody was served by them.
  func abandon() { file?.remove() }
}

/// Opens the sockets of listeners.
struct ListenerOpening {
  private static let backlog: Int32 = 4096

  let workerCount: Int
  let handedOver: HandedOverSockets

  /// Throws EADDRINUSE where another process listens on the address. Ask of all listeners before any is
  /// opened: one of them may have a wildcard address that covers another's.
  static func check(_ listener: ListenerSnapshot) throws(ListenError) {
    guard case .opened(let address, _) = listener.address else { return }
    do throws(SystemError) {
      try ListeningSocket.checkUnused(address)
    } catch {
      throw ListenError(listener: listener.name, address: listener.address, error: error)
    }
  }

  /// Opens all of them, or none.
  func open(_ listeners: [ListenerSnapshot]) throws(ListenError) -> [OpenedListener] {
    var opened: [OpenedListener] = []
    for listener in listeners {
      do {
        opened.append(try open(listener))
      } catch {
        for each in opened { each.abandon() }
        throw ListenError(listener: listener.name, address: listener.address, error: error)
      }
    }
    return opened
  }

  private func open(_ listener: ListenerSnapshot) throws -> OpenedListener {
    switch listener.address {
    case .opened(let address, let access):
      if case .unix = address { return try openFile(listener, address, access) }
      return try openPort(listener, address)
    case .handedOver(let name):
      var bound: [NetworkAddress] = []
      var sockets = [[ListeningSocketBox]](repeating: [], count: workerCount)
      for number in try handedOver.numbers(named: name) {
        bound.append(try share(try HandedOverSockets.socket(number), &sockets))
      }
      return OpenedListener(listener: listener, bound: bound, mode: .shared, sockets: sockets, file: nil)
    }
  }

  /// A socket of its own for each worker on one port: the kernel spreads the connections (SO_REUSEPORT).
  private func openPort(
    _ listener: ListenerSnapshot, _ address: NetworkAddress
  ) throws(SystemError) -> OpenedListener {
    var address = address
    var sockets: [[ListeningSocketBox]] = []
    for _ in 0..<workerCount {
      let socket = try ListeningSocket.listen(on: address, backlog: Self.backlog, reusePort: true)
      // With port 0 the first worker learns the port, and the others join it there.
      address = socket.localAddress() ?? address
      sockets.append([ListeningSocketBox(socket)])
    }
    return OpenedListener(listener: listener, bound: [address], mode: .level, sockets: sockets, file: nil)
  }

  /// One socket for all workers: a path can be bound once.
  private func openFile(
    _ listener: ListenerSnapshot, _ address: NetworkAddress, _ access: UnixSocketAccess
  ) throws(SystemError) -> OpenedListener {
    let socket = try ListeningSocket.listen(
      on: address, backlog: Self.backlog, reusePort: false, access: access)
    let file = socket.file
    var sockets = [[ListeningSocketBox]](repeating: [], count: workerCount)
    do throws(SystemError) {
      _ = try share(socket, &sockets)
    } catch {
      file?.remove()
      throw error
    }
    return OpenedListener(listener: listener, bound: [address], mode: .shared, sockets: sockets, file: file)
  }

  /// One socket for all workers, each with a descriptor of its own.
  private func share(
    _ socket: consuming ListeningSocket, _ sockets: inout [[ListeningSocketBox]]
  ) throws(SystemError) -> NetworkAddress {
    let address = socket.localAddress() ?? .unix("")
    do throws(SystemError) {
      for index in sockets.indices { sockets[index].append(ListeningSocketBox(try socket.duplicate())) }
    } catch {
      socket.close()
      throw error
    }
    socket.close()
    return address
  }
}
