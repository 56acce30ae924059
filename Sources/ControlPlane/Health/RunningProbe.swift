import DataPlane
import EventLoop

/// One probe of one address, from its connect to its verdict. Confined to the prober's thread.
final class RunningProbe {
  /// How it ended.
  enum Outcome {
    case well
    case ill(String)
    /// It failed for want of something here: nothing is known of the address.
    case unknown
  }

  /// More than any answer is long that a script waits for.
  private static let answerLimit = 512

  let subject: ProbeSubject
  let deadline: MonotonicTime
  private let script: ProbeScript
  private var socket: StreamSocket?
  private var isConnected = false
  private var answer: [UInt8] = []

  /// - Throws: why there is no connection, where that is known at once.
  init(
    _ subject: ProbeSubject, _ script: ProbeScript, deadline: MonotonicTime, _ poller: Poller, token: UInt64
  ) throws(SystemError) {
    self.subject = subject
    self.script = script
    self.deadline = deadline
    let socket = try StreamSocket.connect(to: subject.target.address)
    do {
      try poller.add(socket.number, token: token, mode: .edge)
    } catch {
      socket.close()
      throw error
    }
    self.socket = consume socket
  }

  /// Why the present deadline was missed.
  var silence: String { isConnected ? "connected, but no answer to the probe" : "connect: no answer" }

  static func outcome(of error: SystemError) -> Outcome {
    error.call == "connect" && error.name != "EADDRNOTAVAIL" ? .ill("\(error)") : .unknown
  }

  /// Goes on with what the poller told of.
  /// - Returns: nil while it waits.
  func step() -> Outcome? {
    if !isConnected {
      if let error = connectError() { return Self.outcome(of: error) }
      guard hasPeer else { return nil }
      isConnected = true
      // A few bytes into an empty send buffer: the kernel takes them whole.
      let sent = send(script.opening)
      if case .failed(let error) = sent { return .ill("\(error)") }
    }
    return readAnswer()
  }

  private func readAnswer() -> Outcome? {
    while true {
      switch script.judge(answer) {
      case .well: return .well
      case .ill(let problem): return .ill(problem)
      case .incomplete: break
      }
      guard answer.count < Self.answerLimit else { return .ill("its answer to the probe has no end") }
      switch receive() {
      case .bytes: break
      case .wouldBlock: return nil
      case .endOfStream: return .ill("it closed the connection instead of answering the probe")
      case .failed(let error): return .ill("\(error)")
      }
    }
  }

  func close(_ poller: Poller) {
    guard let socket = socket.take() else { return }
    poller.remove(socket.number)
    socket.close()
  }

  // MARK: The socket

  private func connectError() -> SystemError? {
    switch socket {
    case .some(let socket): socket.connectError()
    case .none: nil
    }
  }

  private var hasPeer: Bool {
    switch socket {
    case .some(let socket): socket.remoteAddress() != nil
    case .none: false
    }
  }

  private func send(_ bytes: [UInt8]) -> IOStep {
    switch socket {
    case .some(let socket): unsafe bytes.withUnsafeBytes { unsafe socket.send($0) }
    case .none: .wouldBlock
    }
  }

  private func receive() -> IOStep {
    var buffer = [UInt8](repeating: 0, count: Self.answerLimit - answer.count)
    let step: IOStep
    switch socket {
    case .some(let socket): step = unsafe buffer.withUnsafeMutableBytes { unsafe socket.receive(into: $0) }
    case .none: return .endOfStream
    }
    if case .bytes(let count) = step { answer += buffer[..<count] }
    return step
  }
}
