package import AccessPolicy

extension AuditEvent {
  /// A file that was read, with the SHA-256 of what was in it.
  package struct FileHash: Hashable, Sendable {
    package var path: String
    /// Lowercase hex; nil where the file could not be read, and for the audit key, whose hash is not told.
    package var sha256: String?

    package init(path: String, sha256: String?) {
      self.path = path
      self.sha256 = sha256
    }
  }

  /// A configuration with its policies went live.
  package struct ConfigurationLoaded: Hashable, Sendable {
    package var files: [FileHash]
    /// The hash that names the snapshot; `rule.version` of the decisions taken with it.
    package var version: String?
    package var listeners: Int
    package var callers: Int
    package var rules: Int
    /// Findings that do not stop it.
    package var warnings: [Diagnostic]

    package init(
      files: [FileHash], version: String? = nil, listeners: Int, callers: Int, rules: Int,
      warnings: [Diagnostic] = []
    ) {
      self.files = files
      self.version = version
      self.listeners = listeners
      self.callers = callers
      self.rules = rules
      self.warnings = warnings
    }
  }

  /// A configuration was refused, and the one before it stays live.
  package struct ConfigurationRejected: Hashable, Sendable {
    package var files: [FileHash]
    package var findings: [Diagnostic]

    package init(files: [FileHash], findings: [Diagnostic]) {
      self.files = files
      self.findings = findings
    }
  }

  /// The process listens.
  package struct GatewayStarted: Hashable, Sendable {
    package struct Listener: Hashable, Sendable {
      package var name: String
      /// As people write it: `0.0.0.0:6432`, `unix:/run/x.sock`.
      package var address: String

      package init(name: String, address: String) {
        self.name = name
        self.address = address
      }
    }

    package var listeners: [Listener]
    package var workers: Int?

    package init(listeners: [Listener], workers: Int? = nil) {
      self.listeners = listeners
      self.workers = workers
    }
  }

  /// The process begins to end.
  package struct GatewayStopping: Hashable, Sendable {
    /// Why, for people: `SIGTERM`, …
    package var cause: String
    /// Connections that are still live and will be drained.
    package var connections: Int

    package init(cause: String, connections: Int = 0) {
      self.cause = cause
      self.connections = connections
    }
  }

  /// Records are missing here, or a line is torn.
  package struct AuditGap: Hashable, Sendable {
    /// How many records could not be written; 0 where only a torn line was found.
    package var lost: UInt64
    /// How many connections were let in without a record, as `allow_unlogged` has it.
    package var unlogged: UInt64
    /// Why, for people.
    package var cause: String
    /// `error.code`, such as `ENOSPC`.
    package var code: String?
    /// Since when records were lost; nil where nobody knows, as with a line torn by a kill.
    package var since: Timestamp?
    /// The line before this one is incomplete.
    package var tornLine: Bool

    package init(
      lost: UInt64, unlogged: UInt64 = 0, cause: String, code: String? = nil, since: Timestamp? = nil,
      tornLine: Bool = false
    ) {
      self.lost = lost
      self.unlogged = unlogged
      self.cause = cause
      self.code = code
      self.since = since
      self.tornLine = tornLine
    }
  }
}
