import CLinux
import EventLoop
import Glibc

/// Listening sockets that a service manager opened and handed over: sd_listen_fds(3). They stay open in it
/// too, so that connections which nobody has accepted when the gateway ends wait there for its successor.
package struct HandedOverSockets: Sendable {
  /// Why the sockets cannot be had.
  package struct Problem: Error, CustomStringConvertible {
    package let description: String
  }

  /// Descriptors by name, in their order.
  private let numbers: [String: [Int32]]
  /// Why there are none, where the environment says something of it.
  private let absence: String?
  /// Before it are the standard streams.
  static let firstNumber: Int32 = 3

  private init(_ numbers: [String: [Int32]], absence: String? = nil) {
    self.numbers = numbers
    self.absence = absence
  }

  /// Of a process that was not started by a socket unit.
  package static let none = HandedOverSockets([:])

  /// Takes what the environment speaks of. Call it once, before anything else opens a descriptor and before
  /// the first thread.
  package static func take() throws(Problem) -> HandedOverSockets {
    let pid = ProcessEnvironment.take("LISTEN_PID")
    let count = ProcessEnvironment.take("LISTEN_FDS")
    let names = ProcessEnvironment.take("LISTEN_FDNAMES")
    _ = ProcessEnvironment.take("LISTEN_PIDFDID")
    guard let pid, let count else { return .none }
    // Inherited from a process for which the sockets were meant: our descriptors are something else.
    guard pid == "\(getpid())" else {
      return HandedOverSockets(
        [:],
        absence: "LISTEN_PID is '\(pid)' and countersign is \(getpid()): start it without a shell between")
    }
    return try HandedOverSockets(count: count, names: names, first: firstNumber)
  }

  /// - Parameters:
  ///   - count: the value of `LISTEN_FDS`.
  ///   - names: the value of `LISTEN_FDNAMES`; without it every socket is called `unknown`, as
  ///     sd_listen_fds_with_names(3) does.
  ///   - first: the first of the descriptors.
  init(count written: String, names: String?, first: Int32) throws(Problem) {
    guard let count = Int32(written), (0...1024).contains(count) else {
      throw Problem(description: "LISTEN_FDS is '\(written)', expected how many sockets are handed over")
    }
    let names =
      names?.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      ?? Array(repeating: "unknown", count: Int(count))
    guard names.count == Int(count) else {
      throw Problem(description: "LISTEN_FDNAMES has \(names.count) name(s) for \(count) socket(s)")
    }
    var numbers: [String: [Int32]] = [:]
    for (name, number) in zip(names, first..<first + count) {
      if let fault = Self.fault(of: number) {
        throw Problem(description: "the socket '\(name)', handed over as descriptor \(number), \(fault)")
      }
      numbers[name, default: []].append(number)
    }
    self.init(numbers)
  }

  /// The descriptors under a name, in their order.
  func numbers(named name: String) throws(Problem) -> [Int32] {
    if let found = numbers[name] { return found }
    if let absence { throw Problem(description: "no socket was handed over: \(absence)") }
    guard !numbers.isEmpty else {
      throw Problem(
        description: "no socket was handed over (LISTEN_FDS is not set): "
          + "start countersign by a socket unit, or write an address")
    }
    throw Problem(
      description: "no socket '\(name)' was handed over, only \(Self.list(numbers.keys)): "
        + "set FileDescriptorName=\(name) in the socket unit")
  }

  /// What to say of sockets that no listener of `names` takes: their clients would wait for nothing.
  package func warning(unlessNamedBy names: Set<String>) -> String? {
    let unused = numbers.keys.filter { !names.contains($0) }
    guard !unused.isEmpty else { return nil }
    return "nobody serves the socket(s) \(Self.list(unused)) that the service manager handed over: "
      + "name them by listen: systemd:NAME, or take them out of the socket unit"
  }

  /// A descriptor of one's own for a socket that was handed over.
  static func socket(_ number: Int32) throws(SystemError) -> ListeningSocket {
    let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw SystemError(call: "fcntl", code: errno) }
    return try ListeningSocket.adopt(Descriptor(adopting: copy))
  }

  private static func list(_ names: some Sequence<String>) -> String {
    names.sorted().map { "'\($0)'" }.joined(separator: ", ")
  }

  /// - Returns: why it is no listening stream socket of a family that we know; nil where it is one.
  private static func fault(of number: Int32) -> String? {
    guard fcntl(number, F_SETFD, FD_CLOEXEC) == 0 else { return "is not open" }
    guard let type = option(SO_TYPE, number) else { return "is no socket" }
    guard type == countersign_stream_hint(), let family = option(SO_DOMAIN, number),
      [AF_INET, AF_INET6, AF_UNIX].contains(family)
    else { return "is no stream socket of TCP or Unix: use ListenStream= in the socket unit" }
    guard option(SO_ACCEPTCONN, number) == 1 else {
      return "does not listen: the socket unit must have Accept=no"
    }
    return nil
  }

  private static func option(_ option: Int32, _ number: Int32) -> Int32? {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe getsockopt(number, SOL_SOCKET, option, &value, &length) == 0 else { return nil }
    return value
  }
}
