import AccessPolicy

/// What a MySQL connection carries from one side to the other besides plain bytes: the client's proof while it
/// authenticates, and afterwards the commands that would make it somebody else.
struct MySQLCarry {
  /// A COM_CHANGE_USER on its way.
  enum Change {
    /// Its packet is not whole yet.
    case collecting
    /// It is judged and with the audit writer.
    case recording(MySQLChangeUser, Decision, VerifiedPeer)
  }

  let handshake: MySQLUpstreamHandshake
  /// What the client has of the capabilities that it was offered.
  let clientCapabilities: MySQLCapabilities
  var numbering: MySQLNumbering
  /// Bytes of a packet that is not whole yet, or not judged.
  var fromUpstream: [UInt8] = []
  var fromClient: [UInt8] = []
  var scan = MySQLCommandScan()
  var change: Change?

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
}
