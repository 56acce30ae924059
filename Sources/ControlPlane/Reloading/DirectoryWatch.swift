import CLinux
import EventLoop
import Glibc

/// Hears from the kernel that something in a folder has changed: inotify(7). What, is not asked: whoever hears of it
/// looks at what it knows. The kernel does not tell of everything (other machines' writes, a folder that is itself
/// replaced), so this makes looking soon, and nothing rests on it.
///
/// Belongs to one thread.
final class DirectoryWatch {
  /// inotify_init1(2); nil where the kernel refuses one.
  private let queue: Int32?
  private var watches: [String: Int32] = [:]
  private let complain: (String) -> Void
  private var hasComplained = false

  /// - Parameter complain: shows a line to people.
  init(complain: @escaping (String) -> Void) {
    self.complain = complain
    let number = countersign_inotify()
    queue = number >= 0 ? number : nil
    if number < 0 { say("inotify_init1", errno) }
  }

  deinit { if let queue { close(queue) } }

  /// For the poller; nil where there is none.
  var descriptor: Int32? { queue }

  /// Watches these folders and no others. Those that are watched are asked for again, because a folder that was replaced
  /// is another one of the same name.
  func follow(_ folders: Set<String>) {
    guard let queue else { return }
    var present: [String: Int32] = [:]
    for folder in folders {
      let watch = unsafe inotify_add_watch(queue, folder, countersign_inotify_changes())
      if watch >= 0 {
        present[folder] = watch
      } else {
        let code = errno
        // A folder that is not there yet is found by looking.
        if code == ENOSPC || code == ENOMEM { say("inotify_add_watch", code) }
      }
    }
    for watch in Set(watches.values).subtracting(present.values) { inotify_rm_watch(queue, watch) }
    watches = present
  }

  /// Takes the news off the queue.
  func drain() {
    guard let queue else { return }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while unsafe buffer.withUnsafeMutableBytes({ unsafe read(queue, $0.baseAddress, $0.count) }) > 0 {}
  }

  private func say(_ call: String, _ code: Int32) {
    guard !hasComplained else { return }
    hasComplained = true
    complain(
      "countersign: the kernel tells of no more changed files (\(call): \(FileReader.describe(code))); they are "
        + "looked at every 2 seconds: raise fs.inotify.max_user_watches or fs.inotify.max_user_instances")
  }
}
