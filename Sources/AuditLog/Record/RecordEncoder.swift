package import AccessPolicy

/// Who writes the log.
package struct Observer: Hashable, Sendable {
  /// `observer.name`: what people call this gateway.
  package var name: String
  package var hostname: String
  /// The gateway's version.
  package var version: String

  package init(name: String = "countersign", hostname: String, version: String) {
    self.name = name
    self.hostname = hostname
    self.version = version
  }
}

/// Turns events into lines of JSON in the Elastic Common Schema. Pure: the same input gives the same bytes.
package struct RecordEncoder: Sendable {
  /// `ecs.version`: the first release whose fields are all that a record uses.
  static let schema = "9.0.0"
  /// `countersign.schema`: changes when a member of `countersign` changes its meaning.
  static let ownSchema = 1

  private let digest: Digest
  /// The members that are the same in every record.
  private let constant: [UInt8]

  /// - Parameter digest: SHA-256, for values that are too long for the log.
  package init(observer: Observer, digest: @escaping Digest) {
    self.digest = digest
    var writer = JSONWriter(capacity: 256, digest: digest)
    writer.object("observer") {
      $0.text("name", observer.name)
      $0.text("product", "Countersign")
      $0.text("version", observer.version)
      $0.text("hostname", observer.hostname)
    }
    writer.object("ecs") { $0.text("version", Self.schema) }
    self.constant = writer.bytes
  }

  /// - Parameters:
  ///   - id: `event.id`, random and never used twice.
  ///   - time: `@timestamp`. For a decision the very instant that was judged at, so that `replay` judges
  ///     time windows and expiry alike.
  package func encode(_ event: AuditEvent, id: UInt128, at time: Timestamp) -> EncodedRecord {
    var writer = JSONWriter(capacity: 4096, digest: digest)
    let connection = event.connection
    var sequenceOffset = 0
    var integrityOffset = 0
    writer.braces {
      $0.instant("@timestamp", time)
      $0.object("event") {
        $0.event(event, id: id, at: time)
        sequenceOffset = $0.bytes.count
      }
      $0.common(of: event, connection)
      $0.members(constant)
      $0.object("countersign") {
        $0.integer("schema", Self.ownSchema)
        $0.own(of: event, connection)
        $0.objects("cut", $0.cuts) { $0.cut($1) }
        integrityOffset = $0.bytes.count
      }
    }
    return EncodedRecord(
      bytes: writer.bytes, sequenceOffset: sequenceOffset, integrityOffset: integrityOffset)
  }
}

extension JSONWriter {
  fileprivate mutating func event(_ event: AuditEvent, id: UInt128, at time: Timestamp) {
    let classification = event.action.classification
    text("action", event.action.rawValue)
    text("outcome", event.succeeds ? "success" : "failure")
    text("reason", event.reason)
    text("code", classification.code)
    text("kind", "event")
    texts("category", [classification.category])
    texts("type", classification.types)
    text("id", Hex.text(id))
    span(of: event, at: time)
  }

  /// `event.start`, `.end` and `.duration`; the last two only for what is over.
  private mutating func span(of event: AuditEvent, at time: Timestamp) {
    switch event {
    case .decision(let connection): instant("start", connection.context.start)
    case .handshakeFailed(let event): instant("start", event.context.start)
    case .limitReached(let event): instant("start", event.context.start)
    case .connectionClosed(let event): span(from: event.connection, lasting: event.ending.duration)
    case .connectionRevoked(let event): span(from: event.connection, lasting: event.ending.duration)
    case .upstreamFailed(let event): span(from: event.connection, lasting: event.duration)
    case .auditGap(let event):
      instant("start", event.since)
      if event.since != nil { instant("end", time) }
    case .configurationLoaded, .configurationRejected, .gatewayStarted, .gatewayStopping: break
    }
  }

  private mutating func span(from connection: JudgedConnection, lasting duration: Duration) {
    let nanoseconds = duration.clampedNanoseconds
    let start = connection.context.start
    let (end, overflow) = start.nanoseconds.addingReportingOverflow(nanoseconds)
    instant("start", start)
    instant("end", overflow ? .distantFuture : Timestamp(nanoseconds: end))
    integer("duration", nanoseconds)
  }

  fileprivate mutating func cut(_ cut: Cut) {
    text("field", cut.field)
    integer("index", cut.index)
    integer("bytes", cut.bytes)
    text("sha256", cut.sha256)
  }
}

extension Duration {
  /// Whole nanoseconds, not negative, clamped to what 64 bits hold (292 years).
  fileprivate var clampedNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflow2) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
    return overflow || overflow2 ? (seconds < 0 ? 0 : .max) : max(0, sum)
  }
}
