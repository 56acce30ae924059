import EventLoop
import Glibc
import Testing

@Suite struct PollerTests {
  @Test func anEdgeIsToldOnceUntilSomethingChanges() throws {
    let poller = try Poller()
    let pair = try connectedPair()
    try poller.add(pair.server.number, token: 7, mode: .edge)
    _ = pair.client.send(text: "a")
    let first = events(poller, until: .readable)
    let again = events(poller)
    _ = pair.client.send(text: "b")
    let second = events(poller, until: .readable)
    pair.close()
    #expect(first[7]?.contains([.readable, .writable]) == true)
    #expect(again == [:])
    #expect(second[7]?.contains(.readable) == true)
  }

  @Test func aLevelIsToldForAsLongAsItHolds() throws {
    let poller = try Poller()
    let pair = try connectedPair()
    try poller.add(pair.server.number, token: 7, mode: .level)
    _ = pair.client.send(text: "a")
    let first = events(poller, until: .readable)
    let again = events(poller)
    _ = pair.server.takeText()
    let empty = events(poller)
    pair.close()
    #expect(first == [7: .readable])
    #expect(again == [7: .readable])
    #expect(empty == [:])
  }

  @Test func aHalfCloseIsSeenBesideTheBytesBeforeIt() throws {
    let poller = try Poller()
    let pair = try connectedPair()
    try poller.add(pair.server.number, token: 1, mode: .edge)
    _ = pair.client.send(text: "bye")
    pair.client.shutdownSending()
    let seen = events(poller, until: .peerClosed)
    let text = pair.server.takeText().text
    pair.close()
    #expect(seen[1]?.contains([.readable, .peerClosed]) == true)
    #expect(seen[1]?.contains(.hangUp) == false)
    #expect(text == "bye")
  }

  @Test func aResetIsAnErrorAndAHangUp() throws {
    let poller = try Poller()
    let pair = try connectedPair()
    try poller.add(pair.server.number, token: 1, mode: .edge)
    let server = pair.takeServerResettingClient()
    let seen = events(poller, until: .error)
    server.close()
    #expect(seen[1]?.contains([.error, .hangUp]) == true)
  }

  @Test func aFullPeerBecomesWritableAgain() throws {
    let poller = try Poller()
    let pair = try connectedPair()
    try poller.add(pair.client.number, token: 1, mode: .edge)
    let block = String(repeating: "x", count: 65_536)
    var last = IOStep.bytes(0)
    while case .bytes = last { last = pair.client.send(text: block) }
    _ = events(poller)
    let whileFull = events(poller)
    var woken = false
    let deadline = MonotonicTime.now() + .seconds(10)
    while !woken, MonotonicTime.now() < deadline {
      _ = pair.server.takeText()
      woken = events(poller)[1]?.contains(.writable) == true
    }
    pair.close()
    #expect(last == .wouldBlock)
    #expect(whileFull == [:])
    #expect(woken)
  }

  @Test func aTokenTravelsWhole() throws {
    let poller = try Poller()
    let mailbox = try Mailbox<Int>()
    let token = Token.reserved(0xdead_beef).raw
    try poller.add(mailbox.descriptor, token: token, mode: .level)
    mailbox.post(1)
    #expect(events(poller, until: .readable) == [token: .readable])
  }

  @Test func whatIsRemovedIsSilent() throws {
    let poller = try Poller()
    let mailbox = try Mailbox<Int>()
    try poller.add(mailbox.descriptor, token: 1, mode: .level)
    poller.remove(mailbox.descriptor)
    poller.remove(mailbox.descriptor)  // not watched: fine
    mailbox.post(1)
    #expect(events(poller) == [:])
  }

  @Test func aChangedTokenIsToldWhatWasToldBefore() throws {
    let poller = try Poller()
    let pair = try connectedPair()
    try poller.add(pair.server.number, token: 7, mode: .edge)
    _ = pair.client.send(text: "a")
    pair.client.shutdownSending()
    let first = events(poller, until: .peerClosed)
    try poller.change(pair.server.number, token: 8, mode: .edge)
    let second = events(poller, until: .peerClosed)
    pair.close()
    #expect(first[7]?.contains(.peerClosed) == true)
    #expect(second[7] == nil)
    #expect(second[8]?.contains([.readable, .writable, .peerClosed]) == true)
  }

  @Test func watchingTwiceIsRefused() throws {
    let poller = try Poller()
    let mailbox = try Mailbox<Int>()
    try poller.add(mailbox.descriptor, token: 1, mode: .level)
    #expect(throws: SystemError(call: "epoll_ctl", code: EEXIST)) {
      try poller.add(mailbox.descriptor, token: 2, mode: .level)
    }
  }

  @Test func aWaitEndsAtItsTimeout() throws {
    let poller = try Poller()
    let start = MonotonicTime.now()
    try poller.wait(timeoutMilliseconds: 5) { _, _ in Issue.record("an event out of nothing") }
    #expect(MonotonicTime.now() - start >= .milliseconds(5))
  }

  @Test func aClosedDescriptorStopsTheProcess() async {
    await #expect(processExitsWith: .failure) {
      let poller = try Poller()
      try? poller.add(1_000_000, token: 0, mode: .level)
    }
  }
}

/// The events of one wait, or of several until one has `wanted` (at most ten seconds), by token.
private func events(_ poller: Poller, until wanted: Readiness = []) -> [UInt64: Readiness] {
  var seen: [UInt64: Readiness] = [:]
  let deadline = MonotonicTime.now() + .seconds(10)
  repeat {
    try? poller.wait(timeoutMilliseconds: wanted.isEmpty ? 0 : 100) { token, state in
      seen[token, default: []].formUnion(state)
    }
  } while !wanted.isEmpty && !seen.values.contains { $0.isSuperset(of: wanted) }
    && MonotonicTime.now() < deadline
  return seen
}
