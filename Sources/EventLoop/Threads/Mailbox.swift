internal import CLinux
internal import Glibc
internal import Synchronization

/// Messages from any thread to the one that owns the mailbox. The descriptor becomes readable when messages
/// wait; watch it with `.level`, and drain. However many are posted before the owner drains, the kernel is
/// called once: only the post that finds the box empty wakes.
package final class Mailbox<Message: Sendable>: Sendable {
  private let messages = Mutex<[Message]>([])
  private let wakeUp: SharedDescriptor

  /// Throws EMFILE, ENFILE or ENOMEM.
  package init() throws(SystemError) {
    let number = try SystemCall.checked("eventfd") { Int(countersign_eventfd()) }
    wakeUp = SharedDescriptor(Descriptor(adopting: Int32(truncatingIfNeeded: number)))
  }

  /// For the poller; open for as long as the mailbox lives.
  package var descriptor: Int32 { wakeUp.number }

  /// Adds a message and wakes the owner if the box was empty. Never blocks longer than the owner's swap.
  package func post(_ message: Message) {
    let wasEmpty = messages.withLock { waiting in
      waiting.append(message)
      return waiting.count == 1
    }
    guard wasEmpty else { return }
    var one: UInt64 = 1
    // EAGAIN would mean a counter near 2^64, which is readable anyway (eventfd(2)).
    _ = SystemCall.retrying { unsafe write(wakeUp.number, &one, MemoryLayout<UInt64>.size) }
  }

  /// Replaces the content of `batch` by what was posted, in order; its storage becomes the box's next one,
  /// so two arrays serve for ever. By the owner only.
  package func drain(into batch: inout [Message]) {
    // The wake-up is taken before the messages: the other way round, a post in between would be forgotten.
    var counter: UInt64 = 0
    _ = SystemCall.retrying { unsafe read(wakeUp.number, &counter, MemoryLayout<UInt64>.size) }
    batch.removeAll(keepingCapacity: true)
    messages.withLock { swap(&$0, &batch) }
  }
}
