import EventLoop
import Glibc
import Testing

@Suite struct StreamSocketTests {
  @Test func bytesGoBothWays() throws {
    let pair = try connectedPair()
    let sent = pair.client.send(text: "question")
    let question = pair.server.receiveText()
    let answered = pair.server.send(text: "answer")
    let answer = pair.client.receiveText()
    pair.close()
    #expect(sent == .bytes(8))
    #expect(question.text == "question")
    #expect(answered == .bytes(6))
    #expect(answer.text == "answer")
  }

  @Test func aConnectionKnowsBothEnds() throws {
    let pair = try connectedPair()
    let (clientLocal, clientRemote) = (pair.client.localAddress(), pair.client.remoteAddress())
    let (serverLocal, serverRemote) = (pair.server.localAddress(), pair.server.remoteAddress())
    let seen = pair.clientSeenAs
    let error = pair.client.connectError()
    pair.close()
    #expect(error == nil)
    #expect(clientLocal == seen)
    #expect(serverRemote == seen)
    #expect(serverLocal == clientRemote)
    #expect(seen.withPort(0) == anyLoopbackPort)
    #expect(seen.port != 0)
  }

  @Test func everySocketIsNonBlockingAndClosesOnExec() throws {
    let pair = try connectedPair()
    let numbers = [pair.client.number, pair.server.number]
    let status = numbers.map { fcntl($0, F_GETFL) & O_NONBLOCK }
    let flags = numbers.map { fcntl($0, F_GETFD) & FD_CLOEXEC }
    pair.close()
    #expect(status == [O_NONBLOCK, O_NONBLOCK])
    #expect(flags == [FD_CLOEXEC, FD_CLOEXEC])
  }

  @Test func acceptedAndConnectedSocketsSendAtOnceAndKeepAlive() throws {
    let pair = try connectedPair()
    for number in [pair.client.number, pair.server.number] {
      #expect(option(number, Int32(IPPROTO_TCP), TCP_NODELAY) == 1)
      #expect(option(number, SOL_SOCKET, SO_KEEPALIVE) == 1)
      #expect(option(number, Int32(IPPROTO_TCP), TCP_KEEPIDLE) == 60)
      #expect(option(number, Int32(IPPROTO_TCP), TCP_KEEPINTVL) == 15)
      #expect(option(number, Int32(IPPROTO_TCP), TCP_KEEPCNT) == 4)
    }
    pair.close()
  }

  @Test func halfClosingLeavesTheOtherDirectionOpen() throws {
    let pair = try connectedPair()
    _ = pair.client.send(text: "last words")
    pair.client.shutdownSending()
    let words = pair.server.receiveText()
    let end = pair.server.receiveText()
    let sent = pair.server.send(text: "still here")
    let reply = pair.client.receiveText()
    pair.close()
    #expect(words.text == "last words")
    #expect(end.step == .endOfStream)
    #expect(sent == .bytes(10))
    #expect(reply.text == "still here")
  }

  @Test func aResetIsPassedOnAsAReset() throws {
    let pair = try connectedPair()
    let server = pair.takeServerResettingClient()
    let (step, _) = server.receiveText()
    server.close()
    guard case .failed(let error) = step else {
      Issue.record("expected a reset, got \(step)")
      return
    }
    #expect(error.code == ECONNRESET)
    #expect(error.isReset)
    #expect(error.description == "recv: Connection reset by peer (ECONNRESET)")
  }

  @Test func anOrdinaryCloseIsAnEndAndNoReset() throws {
    let pair = try connectedPair()
    let server = pair.takeServerClosingClient()
    let (step, _) = server.receiveText()
    server.close()
    #expect(step == .endOfStream)
  }

  @Test func sendingToAPeerThatIsGoneIsAnErrorAndNoSignal() throws {
    let pair = try connectedPair()
    let server = pair.takeServerResettingClient()
    _ = server.receiveText()  // takes the pending ECONNRESET
    let step = server.send(text: "x")
    server.close()
    #expect(step == .failed(SystemError(call: "send", code: EPIPE)))
  }

  @Test func anEmptyBufferIsNeitherAnEndNorACall() throws {
    let pair = try connectedPair()
    _ = pair.client.send(text: "unread")
    _ = readiness(of: pair.server.number)
    let received = unsafe pair.server.receive(into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
    let nothing = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    let sent = unsafe pair.server.send(nothing)
    let gathered = unsafe pair.server.sendGathered(nothing, nothing)
    pair.close()
    #expect(received == .bytes(0))
    #expect(sent == .bytes(0))
    #expect(gathered == .bytes(0))
  }

  @Test(arguments: [("head", "body"), ("", "body"), ("head", "")])
  func gatheredPiecesArriveInOrder(_ first: String, _ second: String) throws {
    let pair = try connectedPair()
    let (head, body) = (Array(first.utf8), Array(second.utf8))
    let step = unsafe head.withUnsafeBytes { head in
      unsafe body.withUnsafeBytes { body in unsafe pair.client.sendGathered(head, body) }
    }
    pair.client.shutdownSending()
    var text = ""
    while case (.bytes, let piece) = pair.server.receiveText() { text += piece }
    pair.close()
    #expect(step == .bytes(first.utf8.count + second.utf8.count))
    #expect(text == first + second)
  }

  @Test func nothingToReceiveIsWouldBlock() throws {
    let pair = try connectedPair()
    let step = pair.server.takeText().step
    pair.close()
    #expect(step == .wouldBlock)
  }

  @Test func aFullPipeIsWouldBlockAndEveryByteArrives() throws {
    let pair = try connectedPair()
    let block = [UInt8](repeating: 0x61, count: 65_536)
    var sent = 0
    var last = IOStep.bytes(0)
    while case .bytes(let count) = last, sent < 1 << 30 {
      sent += count
      last = unsafe block.withUnsafeBytes { unsafe pair.client.send($0) }
    }
    #expect(last == .wouldBlock)
    pair.client.shutdownSending()
    var received = 0
    while case (.bytes(let count), _) = pair.server.receiveText() { received += count }
    pair.close()
    #expect(sent > 0)
    #expect(received == sent)
  }
}

extension ConnectedPair {
  consuming func takeServerResettingClient() -> StreamSocket {
    client.resetOnClose()
    client.close()
    return server
  }

  consuming func takeServerClosingClient() -> StreamSocket {
    client.close()
    return server
  }
}
