import CLinux
import Glibc

/// What keeps private keys inside the process.
enum ProcessHardening {
  /// No core dump, and no debugger or /proc/PID/mem for other processes of the same user: keys are in memory.
  /// prctl(2) PR_SET_DUMPABLE; setrlimit(2) RLIMIT_CORE for dumps that are piped to a handler.
  static func apply() throws {
    guard countersign_set_undumpable() == 0 else {
      throw POSIXFailure(call: "prctl(PR_SET_DUMPABLE)", code: errno)
    }
    guard countersign_forbid_core_dumps() == 0 else {
      throw POSIXFailure(call: "setrlimit(RLIMIT_CORE)", code: errno)
    }
  }
}

/// A system call of the control plane failed.
struct POSIXFailure: Error, CustomStringConvertible {
  let call: String
  let code: Int32

  var description: String { unsafe "\(call): \(String(cString: strerror(code)))" }
}
