internal import CLinux
internal import Glibc

/// Signals as something to read, not as an interruption: signalfd(2).
package final class SignalSource: Sendable {
  private let source: SharedDescriptor

  /// Blocks the signals in this thread and in all that it starts later, and collects them. Call it on the main
  /// thread before any other exists: a thread without the mask would take the signal and die of it.
  package init(_ signals: [Int32]) throws(SystemError) {
    var set = sigset_t()
    _ = unsafe sigemptyset(&set)
    for signal in signals {
      guard unsafe sigaddset(&set, signal) == 0 else { throw SystemError(call: "sigaddset", code: EINVAL) }
    }
    let code = unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    guard code == 0 else { throw SystemError(call: "pthread_sigmask", code: code) }
    let number = try SystemCall.checked("signalfd") { Int(unsafe countersign_signalfd(&set)) }
    source = SharedDescriptor(Descriptor(adopting: Int32(truncatingIfNeeded: number)))
  }

  /// For the poller; open for as long as the source lives.
  package var descriptor: Int32 { source.number }

  /// The signals that came since the last call. Several of one kind may have become one (signal(7)).
  package func read() -> [Int32] {
    var found: [Int32] = []
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    while case .value(size) = SystemCall.retrying({ unsafe Glibc.read(source.number, &info, size) }) {
      found.append(Int32(bitPattern: info.ssi_signo))
    }
    return found
  }

  /// Makes a write of the audit log to a closed pipe an EPIPE, and one past the limit of a file's size an
  /// EFBIG (setrlimit(2)), instead of the end of the process. Sockets do not need it: they send with
  /// MSG_NOSIGNAL.
  package static func ignoreWriteSignals() {
    _ = signal(SIGPIPE, SIG_IGN)
    _ = signal(SIGXFSZ, SIG_IGN)
  }
}
