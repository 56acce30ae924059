import AccessPolicy
import AuditLog

/// What a MySQL connection carries from one side to the other besides plain bytes: the client's proof while it
/// authenticates, and afterwards the commands that would make it somebody else.
///
/// A class, as most connections have none: it is large, and would lie in each of them.
final class MySQLCarry {
  /// A COM_CHANGE_USER on its way.
  enum Change {
    /// Its packet is not whole yet.
    case collecting
    /// It is judged and with the audit writer.
    case recording(MySQLChangeUser, Judgement)
  }

  /// Packets of one authentication. No plugin needs as many, and sequences, which are of 8 bits, do not come to 0
  /// again: a packet of the client that goes on here can never be a command to the upstream.
  static let maxPackets = 64

  let handshake: MySQLUpstreamHandshake
  /// What the client has of the capabilities that it was offered.
  let clientCapabilities: MySQLCapabilities
  var numbering: MySQLNumbering
  /// The upstream has asked something. Else the client is not heard: what it says too early is for the relay.
  var isClientsTurn = false
  /// What the upstream switched to; nil before it did.
  var plugin: String?
  private var packetsLeft = maxPackets
  /// Bytes of a packet that is not whole yet, or not judged.
  var fromUpstream: [UInt8] = []
  var fromClient: [UInt8] = []
  var scan = MySQLCommandScan()
  var serverTail = MySQLServerTail()
  /// A command went to the server, which has not answered yet.
  var awaitsAnswer = false
  var change: Change?
  /// While the client proves that it is another user: the verdict that holds if the upstream does not believe it.
  var before: Judgement?

  /// Nothing more of the client is read until the audit writer has answered.
  var isHeldBack: Bool {
    if case .recording? = change { return true }
    return false
  }

  init(_ handshake: MySQLUpstreamHandshake, _ response: MySQLHandshakeResponse) {
    self.handshake = handshake
    clientCapabilities = response.capabilities.intersection(.offered)
    numbering = MySQLNumbering(lastOfClient: response.sequence, lastOfUpstream: handshake.sequence)
  }

  /// COM_CHANGE_USER begins: from the command on the two sides number their packets alike.
  func beginChange() {
    change = .collecting
    numbering = MySQLNumbering(lastOfClient: 0, lastOfUpstream: 0)
    isClientsTurn = false
    plugin = nil
    packetsLeft = Self.maxPackets
  }

  /// A packet is about to go over.
  /// - Returns: false where it is one too many.
  func advance() -> Bool {
    guard packetsLeft > 0 else { return false }
    packetsLeft -= 1
    numbering.advance()
    return true
  }
}

/// A verdict about a connection, with what it was made of and the clearance of its record.
struct Judgement {
  var decision: Decision
  var verified: VerifiedPeer
  var policyVersion: String?
  var clearance: AuditClearance?
}
