import AccessPolicy
import EventLoop
import GatewayConfiguration
import TLSEngine

/// The way of a MySQL client to its server: the server greets, the gateway answers in the client's name and without
/// a secret, and the two then talk through it, packet by packet, until the server has let the client in.
extension Connection {
  /// The sequence of a packet that the client would take next.
  var mysqlSequence: UInt8 {
    // In the place of the answer to a command, whose sequence is 0.
    if relay?.isOpen == true, preparation == nil { return 1 }
    return mysql?.numbering.client ?? (session?.isEstablished == true ? 3 : negotiation.hasGreeted ? 2 : 0)
  }

  /// The client is not in yet, or becomes another user, or waits for the answer to a command, or has it whole.
  var isMySQLBetweenMessages: Bool {
    guard relay?.isOpen == true, preparation == nil, let mysql else { return true }
    return client.unsent.isEmpty && mysql.serverTail.isAtEndOfPacket
      && (mysql.awaitsAnswer || mysql.serverTail.isAnswered)
  }

  /// Reads the upstream's greeting, and answers it.
  func readGreeting(_ worker: Worker) {
    guard case .mysql(let response)? = purpose else { return }
    while readFromUpstream(worker) {
      switch MySQLGreeting.parse(upstreamBytes.span) {
      case .incomplete: continue
      case .invalid(let problem): return lose(problem, reason: .upstreamUnreachable, worker)
      case .complete(.error(let error), _):
        return lose(
          "the upstream refuses: \(error.code) \(error.message)", reason: .upstreamUnreachable, worker)
      case .complete(.greeting(let greeting), let length):
        guard length == upstreamBytes.count else {
          return lose("the upstream sent bytes behind its greeting", reason: .upstreamUnreachable, worker)
        }
        upstreamBytes = []
        return answer(greeting, response, worker)
      }
    }
  }

  private func answer(_ greeting: MySQLGreeting, _ response: MySQLHandshakeResponse, _ worker: Worker) {
    let usesTLS = terms.upstream.tls != nil
    do throws(MySQLUpstreamHandshake.Refusal) {
      let handshake = try MySQLUpstreamHandshake(
        response, upstream: greeting, usesTLS: usesTLS,
        isMariaDB: usesTLS
          ? MySQLGreeting.isMariaDB(terms.mySQLServerVersion) : greeting.isMariaDB)
      mysql = MySQLCarry(handshake, response)
      guard usesTLS else { return beginAuthentication(worker) }
      writeToUpstream(handshake.tlsRequest, worker)
      startUpstreamTLS(worker)
    } catch {
      switch error {
      case .upstream(let problem), .name(let problem): lose(problem, reason: .upstreamUnreachable, worker)
      case .noTLS: lose("the upstream offers no TLS; see ssl_cert there", reason: .upstreamTLS, worker)
      }
    }
  }

  /// From here on the client's own packets go to this upstream, so no other one is tried any more.
  func beginAuthentication(_ worker: Worker) {
    guard let mysql else { return handle(.upstreamFailed(.internal), worker) }
    writeToUpstream(mysql.handshake.packet, worker)
    preparation = .authenticating
    handle(.authenticating, worker)
    stepAuthentication(worker)
  }

  /// Carries packets between the two until the server has decided.
  func stepAuthentication(_ worker: Worker) {
    client.flush()
    while machine.state == .preparing {
      if carryFromUpstream(worker) { continue }
      guard machine.state == .preparing, mysql?.isClientsTurn == true, carryFromClient(worker) else { return }
    }
  }

  // MARK: One packet

  /// - Returns: whether a packet went over.
  private func carryFromUpstream(_ worker: Worker) -> Bool {
    guard let carry = mysql else { return false }
    switch MySQLServerAuthentication.parse(carry.fromUpstream.span, carry.numbering) {
    case .incomplete: return fill(\.fromUpstream, from: upstream, worker)
    case .invalid(let problem):
      breakOff(problem, worker)
      return false
    case .complete(let packet, let length):
      if let problem = problem(of: packet, carry) {
        breakOff(problem, worker)
        return false
      }
      guard passToClient(length, worker) else { return false }
      follow(packet, worker)
      return true
    }
  }

  /// - Returns: why a packet of the upstream does not go to the client; nil where it may.
  private func problem(of packet: MySQLServerAuthentication, _ carry: MySQLCarry) -> String? {
    if packet.asksForPassword(of: carry.plugin), !isWayToUpstreamConfidential {
      return "the upstream asks for the password itself, which goes only over TLS or a Unix socket: "
        + "give the upstream tls, or an account of another plugin"
    }
    return nil
  }

  private func follow(_ packet: MySQLServerAuthentication, _ worker: Worker) {
    switch packet {
    case .ok: finishAuthentication(worker)
    case .error:
      returnToBefore(worker)
      finishAuthentication(worker)
    case .fastAuthenticationSucceeded: break
    case .switchPlugin(let name):
      mysql?.plugin = name
      mysql?.isClientsTurn = true
    case .fullAuthentication, .pluginData: mysql?.isClientsTurn = true
    }
  }

  private func carryFromClient(_ worker: Worker) -> Bool {
    guard let carry = mysql else { return false }
    switch MySQLPacket.parse(carry.fromClient.span) {
    case .incomplete: return fill(\.fromClient, from: client, worker)
    case .invalid(let problem):
      breakOff(problem, worker)
      return false
    case .complete(let packet, let length):
      guard packet.sequence == carry.numbering.client else {
        breakOff("a packet of the client has the sequence \(packet.sequence) out of its turn", worker)
        return false
      }
      var bytes = Array(carry.fromClient[..<length])
      bytes[3] = carry.numbering.upstream
      mysql?.fromClient.removeFirst(length)
      mysql?.isClientsTurn = false
      guard advance(worker) else { return false }
      writeToUpstream(bytes, worker)
      return true
    }
  }

  private func passToClient(_ length: Int, _ worker: Worker) -> Bool {
    guard let carry = mysql else { return false }
    var bytes = Array(carry.fromUpstream[..<length])
    bytes[3] = carry.numbering.client
    mysql?.fromUpstream.removeFirst(length)
    guard advance(worker) else { return false }
    _ = unsafe bytes.withUnsafeBytes { unsafe client.write($0, worker) }
    return true
  }

  private func advance(_ worker: Worker) -> Bool {
    if mysql?.advance() == true { return true }
    breakOff("the authentication goes on after \(MySQLCarry.maxPackets) packets", worker)
    return false
  }

  /// Reads more of a side's bytes. Bounded: a packet is whole or refused before it is longer than what is read.
  private func fill(
    _ target: WritableKeyPath<MySQLCarry, [UInt8]>, from side: Side?, _ worker: Worker
  ) -> Bool {
    guard let side else { return false }
    var filled = 0
    let source = side.read(worker, &filled)
    if filled > 0 {
      let bytes = unsafe UnsafeRawBufferPointer(rebasing: worker.plaintext[..<filled])
      unsafe mysql?[keyPath: target].append(contentsOf: bytes)
      return true
    }
    switch source {
    case .more: worker.putOff(self)
    case .waits: break
    case .ended where side === client: handle(.relayEnded(.clientClosed, reset: false), worker)
    case .broken where side === client: handle(.clientLost, worker)
    case .ended where relay?.isOpen == true: handle(.relayEnded(.upstreamClosed, reset: false), worker)
    case .broken where relay?.isOpen == true: handle(.relayEnded(.upstreamReset, reset: true), worker)
    case .ended, .broken:
      breakOff("the upstream closed the connection while the client was authenticating", worker)
    }
    return false
  }

  private var isWayToUpstreamConfidential: Bool {
    if terms.upstream.tls != nil { return true }
    if case .unix? = dial?.current { return true }
    return false
  }

  private func breakOff(_ message: String, _ worker: Worker) {
    preparation = nil
    dial?.failed(message: message, code: nil)
    handle(.upstreamFailed(.upstreamUnreachable), worker)
  }

  /// The upstream does not believe that the client is another user. Some servers end the session, and some go on
  /// with it as the user that it was.
  private func returnToBefore(_ worker: Worker) {
    guard let before = mysql?.before else { return }
    mysql?.before = nil
    _ = adopt(before)
    settleCaller(isChanged: false, worker)
  }

  /// The server has let the client in, or told it why not and hangs up. What was read too far is the relay's.
  private func finishAuthentication(_ worker: Worker) {
    preparation = nil
    mysql?.before = nil
    settleCaller(isChanged: true, worker)
    mysql?.serverTail = MySQLServerTail()
    mysql?.awaitsAnswer = false
    if let carry = mysql {
      unsafe carry.fromUpstream.withUnsafeBytes { unsafe upstream?.putBack($0) }
      unsafe carry.fromClient.withUnsafeBytes { unsafe client.putBack($0) }
      mysql?.fromUpstream = []
      mysql?.fromClient = []
    }
    handle(.upstreamPrepared, worker)
  }
}
