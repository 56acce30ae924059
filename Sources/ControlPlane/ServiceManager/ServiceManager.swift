import EventLoop
import Glibc

/// The service manager that started the process, as sd_notify(3) and sd_watchdog_enabled(3) describe the talk
/// with it. Nothing that goes wrong here ends the gateway; it is said once on standard error.
///
/// Belongs to the main thread.
package final class ServiceManager {
  private let socket: DatagramSender?
  private let complain: (String) -> Void
  private var hasComplained = false
  /// How long the manager waits for a sign of life; nil where it does not.
  let watchdogTimeout: Duration?

  /// - Parameters:
  ///   - address: the value of `NOTIFY_SOCKET`; nil where nobody listens.
  ///   - watchdogTimeout: the time in microseconds, the value of `WATCHDOG_USEC`, where it is meant for us.
  ///   - complain: shows a line to the person who started the process.
  init(address: String?, watchdogTimeout: String?, complain: @escaping (String) -> Void) {
    self.complain = complain
    var problem: String?
    var socket: DatagramSender?
    do throws(SystemError) {
      // Others are of families that systemd itself uses between machines (vsock:).
      if let address, address.hasPrefix("/") || address.hasPrefix("@") {
        socket = try DatagramSender(to: address)
      } else if let address {
        problem = "NOTIFY_SOCKET is '\(address)', expected a path or @ and a name"
      }
    } catch {
      problem = "NOTIFY_SOCKET is '\(address ?? "")': \(error)"
    }
    let microseconds = watchdogTimeout.flatMap { Int64($0) } ?? 0
    if let watchdogTimeout, microseconds <= 0 {
      problem = "WATCHDOG_USEC is '\(watchdogTimeout)', expected a number of microseconds"
    }
    self.socket = socket
    // Without a way to be told, the manager cannot wait for it.
    self.watchdogTimeout = microseconds > 0 && socket != nil ? .microseconds(microseconds) : nil
    if let problem { say(problem) }
  }

  /// Takes what the environment says of the manager. Call it before the first thread.
  package static func take() -> ServiceManager {
    let pid = ProcessEnvironment.take("WATCHDOG_PID")
    let timeout = ProcessEnvironment.take("WATCHDOG_USEC")
    let isMeant = pid == nil || pid == "\(getpid())"
    return ServiceManager(
      address: ProcessEnvironment.take("NOTIFY_SOCKET"), watchdogTimeout: isMeant ? timeout : nil,
      complain: { Console.error($0) })
  }

  /// The listeners are open, and the workers run.
  func ready(sockets: Int, workers: Int) {
    send("READY=1\nSTATUS=Serving on \(sockets) socket(s) with \(workers) worker(s)")
  }

  /// The configuration is about to be read anew; ``ready(sockets:workers:)`` follows, however it comes out. The time
  /// tells the manager which request is answered (sd_notify(3), MONOTONIC_USEC).
  func reloading() { send("RELOADING=1\nMONOTONIC_USEC=\(MonotonicTime.now().nanoseconds / 1000)") }

  /// The drain begins.
  func stopping(connections: Int) {
    send("STOPPING=1\nSTATUS=Draining \(connections) connection(s)")
  }

  /// Every worker has just answered.
  func alive() { send("WATCHDOG=1") }

  private func send(_ message: String) {
    guard let socket else { return }
    do throws(SystemError) {
      try socket.send(message)
    } catch {
      say("\(error)")
    }
  }

  private func say(_ problem: String) {
    guard !hasComplained else { return }
    hasComplained = true
    complain("countersign: the service manager cannot be told how the gateway is: \(problem)")
  }
}
