import EventLoop
import Glibc
import Testing

/// Messages to a datagram socket, as a service manager has one.
@Suite struct DatagramSenderTests {
  @Test func eachMessageArrivesWhole() throws {
    try withTemporaryFolder { folder in
      let receiver = try DatagramReceiver(path: folder + "/socket")
      defer { receiver.close() }
      let sender = try DatagramSender(to: folder + "/socket")
      try sender.send("READY=1\nSTATUS=well")
      try sender.send("STOPPING=1")
      #expect(receiver.next() == "READY=1\nSTATUS=well")
      #expect(receiver.next() == "STOPPING=1")
    }
  }

  @Test func anAbstractNameIsReached() throws {
    let name = "countersign-test-\(getpid())-\(MonotonicTime.now().nanoseconds)"
    let receiver = try DatagramReceiver(abstract: name)
    defer { receiver.close() }
    try DatagramSender(to: "@" + name).send("WATCHDOG=1")
    #expect(receiver.next() == "WATCHDOG=1")
  }

  @Test func nobodyThereIsAnError() throws {
    try withTemporaryFolder { folder in
      let sender = try DatagramSender(to: folder + "/socket")
      #expect(throws: SystemError(call: "sendto", code: ENOENT)) { try sender.send("READY=1") }
      try DatagramReceiver(path: folder + "/socket").close()
      #expect(throws: SystemError(call: "sendto", code: ECONNREFUSED)) { try sender.send("READY=1") }
    }
  }

  /// A receiver that never reads costs a second and not the process.
  @Test func aReceiverThatIsBehindIsNotWaitedForForEver() throws {
    try withTemporaryFolder { folder in
      let receiver = try DatagramReceiver(path: folder + "/socket")
      defer { receiver.close() }
      let sender = try DatagramSender(to: folder + "/socket")
      let begun = MonotonicTime.now()
      var failure: SystemError?
      // net.unix.max_dgram_qlen messages fit; it is 10 or 512 on usual machines.
      for _ in 0..<100_000 where failure == nil {
        do throws(SystemError) {
          try sender.send("x")
        } catch {
          failure = error
        }
      }
      #expect(failure == SystemError(call: "sendto", code: EAGAIN))
      #expect(MonotonicTime.now() - begun >= .milliseconds(900))
    }
  }

  @Test(arguments: [
    ("", EINVAL), ("@", EINVAL), ("/a\0b", EINVAL), (String(repeating: "x", count: 108), ENAMETOOLONG),
    ("@" + String(repeating: "x", count: 108), ENAMETOOLONG),
  ])
  func whatIsNoAddressIsRefused(_ text: String, _ code: Int32) {
    #expect(throws: SystemError(call: "sendto", code: code)) { _ = try DatagramSender(to: text) }
  }
}

/// A bound datagram socket.
struct DatagramReceiver {
  private let number: Int32

  init(path: String) throws { try self.init(name: Array(path.utf8) + [0]) }

  init(abstract name: String) throws { try self.init(name: [0] + Array(name.utf8)) }

  private init(name: [UInt8]) throws {
    number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: name) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
    let number = number
    let status = unsafe withUnsafePointer(to: address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(number, $0, length) }
    }
    guard status == 0 else { throw SetUpFailure(what: "bind of a datagram socket") }
  }

  func close() { _ = Glibc.close(number) }

  /// The next message; nil where none waits.
  func next() -> String? {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe recv(number, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
    }
    return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
  }
}
