import DataPlane
import EventLoop
import Testing

struct PendingBytesTests {
  /// Takes up to `limit` bytes and returns what it saw.
  private func take(_ pending: inout PendingBytes, _ limit: Int) -> [UInt8] {
    var seen: [UInt8] = []
    unsafe pending.take { bytes in
      seen = unsafe Array(bytes.prefix(limit))
      return seen.count
    }
    return seen
  }

  @Test func bytesComeOutInOrderWhateverIsTakenAtATime() {
    var pending = PendingBytes()
    unsafe ([1, 2, 3] as [UInt8]).withUnsafeBytes { unsafe pending.append($0) }
    #expect(take(&pending, 2) == [1, 2])
    unsafe ([4] as [UInt8]).withUnsafeBytes { unsafe pending.append($0) }
    let count = pending.count
    #expect(count == 2)
    #expect(take(&pending, 9) == [3, 4])
    let isEmpty = pending.isEmpty
    #expect(isEmpty)
  }

  @Test(arguments: [-1, 0])
  func takingNothingLosesNothing(_ taken: Int) {
    var pending = PendingBytes()
    unsafe ([7] as [UInt8]).withUnsafeBytes { unsafe pending.append($0) }
    unsafe pending.take { _ in taken }
    #expect(take(&pending, 1) == [7])
  }

  @Test func takingMoreThanThereIsTakesAll() {
    var pending = PendingBytes()
    unsafe ([7] as [UInt8]).withUnsafeBytes { unsafe pending.append($0) }
    unsafe pending.take { _ in 99 }
    let isEmpty = pending.isEmpty
    #expect(isEmpty)
  }
}

struct PollTagTests {
  static let tags: [PollTag] = [
    .mailbox, .listener(0), .listener(77), .client(Token(slot: 0, generation: 0)),
    .client(Token(slot: 0x3fff_ffff, generation: 5)), .upstream(Token(slot: 0, generation: 0)),
    .upstream(Token(slot: 0x3fff_ffff, generation: 0xffff_ffff)), .attempt(Token(slot: 0, generation: 0)),
    .attempt(Token(slot: 0x3fff_ffff, generation: 0xffff_ffff)), .limitSummaries,
  ]

  @Test(arguments: tags)
  func aTagSurvivesThePoller(_ tag: PollTag) { #expect(PollTag(raw: tag.raw) == tag) }

  @Test func noTwoTagsShareTheirBits() { #expect(Set(Self.tags.map(\.raw)).count == Self.tags.count) }
}

struct AdmissionTests {
  @Test func nobodyEntersAtTheLimitUntilSomebodyLeaves() {
    let admission = Admission(limit: 2)
    #expect(admission.enter())
    #expect(admission.enter())
    #expect(!admission.enter())
    #expect(admission.count == 2)
    admission.leave()
    #expect(admission.enter())
  }
}

struct UnauthenticatedQueueTests {
  private func token(_ slot: UInt32) -> Token { Token(slot: slot, generation: 0) }

  @Test func theOldestThatStillWaitsGoesFirst() {
    let queue = UnauthenticatedQueue()
    for slot in 0..<4 { queue.enter(token(UInt32(slot))) }
    let gone: Set<UInt32> = [0, 2]
    gone.forEach { _ in queue.leave() }
    #expect(queue.count == 2)
    #expect(queue.oldest { !gone.contains($0.slot) } == token(1))
    #expect(queue.oldest { !gone.contains($0.slot) } == token(3))
    #expect(queue.oldest { !gone.contains($0.slot) } == nil)
  }

  @Test func staleTokensAtTheFrontAreForgotten() {
    let queue = UnauthenticatedQueue()
    for slot in 0..<1000 {
      queue.enter(token(UInt32(slot)))
      queue.leave()
      queue.trim { _ in false }
    }
    queue.enter(token(1000))
    #expect(queue.oldest { $0.slot == 1000 } == token(1000))
  }
}
