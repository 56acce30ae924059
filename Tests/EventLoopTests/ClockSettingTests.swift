import EventLoop
import Testing

/// The clock of a test's machine is not to be set; what can be seen is that nothing is told before it is.
struct ClockSettingTests {
  @Test func aClockThatNobodySetsIsQuiet() throws {
    let setting = try ClockSetting()
    let poller = try Poller()
    try poller.add(setting.descriptor, token: 1, mode: .level)
    var heard = 0
    try poller.wait(timeoutMilliseconds: 20) { _, _ in heard += 1 }
    #expect(heard == 0)
    #expect(!setting.take())
  }

  @Test func aBoxGivesItsSocketOnce() throws {
    let box = ListeningSocketBox(
      try ListeningSocket.listen(on: .v4(0x7f00_0001, port: 0), backlog: 1, reusePort: false))
    let first = box.take()
    let second = box.take()
    var taken = [false, false]
    if let first {
      taken[0] = true
      first.close()
    }
    if let second {
      taken[1] = true
      second.close()
    }
    #expect(taken == [true, false])
  }
}
