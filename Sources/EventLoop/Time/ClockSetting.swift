internal import CLinux
internal import Glibc

/// Notices that somebody set the wall clock: deadlines that were made of its moments are wrong from then on. Slewing
/// (adjtime(3)) is none of that: the monotonic clock, by which is waited, follows it.
package final class ClockSetting: Sendable {
  private let timer: SharedDescriptor

  /// Throws EMFILE, ENFILE or ENOMEM.
  package init() throws(SystemError) {
    let number = try SystemCall.checked("timerfd_create") { Int(countersign_clock_timer()) }
    timer = SharedDescriptor(Descriptor(adopting: Int32(truncatingIfNeeded: number)))
    try SystemCall.checked("timerfd_settime") { Int(countersign_clock_timer_arm(self.timer.number)) }
  }

  /// For the poller, `.level`: readable once the clock was set; open for as long as this lives.
  package var descriptor: Int32 { timer.number }

  /// Takes the news, and waits for the next.
  /// - Returns: whether the clock was set since the last call.
  package func take() -> Bool {
    var expirations: UInt64 = 0
    let outcome = SystemCall.retrying {
      unsafe read(timer.number, &expirations, MemoryLayout<UInt64>.size)
    }
    guard case .failure(ECANCELED) = outcome else { return false }
    _ = SystemCall.retrying { Int(countersign_clock_timer_arm(timer.number)) }
    return true
  }
}
