import EventLoop
import Glibc
import Testing

@Suite struct MailboxTests {
  @Test func messagesComeInTheOrderOfPosting() throws {
    let mailbox = try Mailbox<Int>()
    for number in 0..<5 { mailbox.post(number) }
    var batch = [99]
    mailbox.drain(into: &batch)
    #expect(batch == [0, 1, 2, 3, 4])
    mailbox.drain(into: &batch)
    #expect(batch == [])
  }

  @Test func manyPostsAreOneWakeUp() throws {
    let mailbox = try Mailbox<Int>()
    for number in 0..<5 { mailbox.post(number) }
    var counter: UInt64 = 0
    #expect(unsafe read(mailbox.descriptor, &counter, 8) == 8)
    #expect(counter == 1)
  }

  @Test func drainingEndsTheWakeUpAndTheNextPostBeginsOne() throws {
    let mailbox = try Mailbox<Int>()
    let poller = try Poller()
    try poller.add(mailbox.descriptor, token: 0, mode: .level)
    var batch: [Int] = []
    #expect(isReadable(poller) == false)
    mailbox.post(1)
    #expect(isReadable(poller))
    mailbox.drain(into: &batch)
    #expect(isReadable(poller) == false)
    mailbox.post(2)
    #expect(isReadable(poller))
  }

  @Test func nothingIsLostBetweenThreads() throws {
    let (writers, each) = (4, 2_000)
    let mailbox = try Mailbox<(writer: Int, number: Int)>()
    let poller = try Poller()
    try poller.add(mailbox.descriptor, token: 0, mode: .level)
    let threads = try (0..<writers).map { writer in
      try WorkerThread(name: "writer-\(writer)") {
        for number in 0..<each { mailbox.post((writer, number)) }
      }
    }
    var next = [Int](repeating: 0, count: writers)
    var batch: [(writer: Int, number: Int)] = []
    let deadline = MonotonicTime.now() + .seconds(30)
    // A lost wake-up shows as messages that wait while the poller is silent: only a wake-up drains.
    while next.reduce(0, +) < writers * each, MonotonicTime.now() < deadline {
      guard isReadable(poller, milliseconds: 100) else { continue }
      mailbox.drain(into: &batch)
      for message in batch {
        #expect(message.number == next[message.writer])
        next[message.writer] += 1
      }
    }
    for thread in threads { thread.join() }
    #expect(next == [Int](repeating: each, count: writers))
  }

  private func isReadable(_ poller: Poller, milliseconds: Int32 = 0) -> Bool {
    var seen = false
    try? poller.wait(timeoutMilliseconds: milliseconds) { _, state in seen = state.contains(.readable) }
    return seen
  }
}
