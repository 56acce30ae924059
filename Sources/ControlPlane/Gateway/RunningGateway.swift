package import AccessPolicy
import AuditLog
import DataPlane
import EventLoop
import GatewayConfiguration
import TLSEngine

/// The configuration has errors; nothing was started.
package struct ConfigurationErrors: Error, Sendable, CustomStringConvertible {
  package let findings: [Diagnostic]

  package var description: String { "the configuration has errors: \(FindingsReport(findings).summary)" }
}

/// A gateway that serves, with its audit log: made from a configuration file in one go, ended in one go.
package final class RunningGateway {
  let gateway: Gateway
  let audit: AuditWriter
  let journal: Journal
  let reloader: Reloader
  private var reloading: WorkerThread?

  private init(_ gateway: Gateway, _ audit: AuditWriter, _ journal: Journal, _ reloader: Reloader) {
    self.gateway = gateway
    self.audit = audit
    self.journal = journal
    self.reloader = reloader
  }

  /// Reads everything, opens the audit log and the listeners, and serves.
  /// - Parameters:
  ///   - handedOver: sockets that a service manager opened.
  ///   - report: shows warnings about the configuration.
  /// - Throws: ``ConfigurationErrors``, or why the audit log, a listener or a thread could not be had.
  package static func start(
    configurationPath: String, version: String, handedOver: HandedOverSockets = .none,
    report: ([Diagnostic]) -> Void
  ) throws -> RunningGateway {
    let descriptors = ProcessLimits.raiseDescriptorLimit()
    let (loaded, snapshot, trace) = try load(configurationPath, report)
    let configuration = loaded.configuration
    let digest: Digest = { SHA256.hash($0) }
    let encoder = RecordEncoder(
      observer: Observer(hostname: Host.name(), version: version), digest: digest)
    let audit = try AuditWriter(
      configuration.audit, encoder: encoder,
      integrity: configuration.audit.integrity ? AuditKey.digest(loaded.auditKey) : nil)
    let journal = Journal(audit: audit, encoder: encoder)
    let capacity = ConnectionCapacity.defaultLimit(descriptors: descriptors)
    do {
      let reloader = try Reloader(
        status: ReloadStatus(
          version: snapshot.version, loadedAt: Clock.system.wall(), drainTimeout: configuration.drainTimeout))
      let lookout = try Reloader.Lookout()
      let gateway = try Gateway(
        snapshot: snapshot, audit: audit, encoder: encoder,
        workerCount: configuration.workers ?? ProcessLimits.availableProcessors(),
        maxConnections: configuration.limits.maxConnections ?? capacity,
        handedOver: handedOver)
      journal.loaded(loaded, version: snapshot.version)
      journal.started(gateway)
      try gateway.start()
      if let warning = gateway.control.warning { Console.error(warning) }
      let running = RunningGateway(gateway, audit, journal, reloader)
      try running.follow(
        Reload(
          path: configurationPath, running: loaded, trace: trace, control: gateway.control, journal: journal,
          status: reloader.status, defaultCapacity: capacity), lookout)
      return running
    } catch {
      audit.shutdown(within: .seconds(5))
      throw error
    }
  }

  /// Ends every connection, waits for the workers, and writes what is left to write.
  package func end(cause: String) {
    journal.stopping(cause, connections: gateway.admission.count)
    gateway.drain()
    gateway.endConnections()
    finish()
  }

  /// Starts the thread that follows the configuration.
  private func follow(_ reload: Reload, _ lookout: Reloader.Lookout) throws(SystemError) {
    let reloader = reloader
    let control = gateway.control
    // Handed over whole: nothing here touches it from now on.
    nonisolated(unsafe) let lookout = lookout
    reloading = try WorkerThread(name: "reload") {
      do {
        try unsafe reloader.run(reload, control, lookout)
      } catch {
        Console.error("countersign: changed files are not followed any more: \(error)")
      }
    }
  }

  /// Waits for workers that have been told to drain, and for the last record.
  func finish() {
    reloader.stop()
    reloading?.join()
    gateway.join()
    audit.shutdown(within: .seconds(5))
  }

  private static func load(
    _ path: String, _ report: ([Diagnostic]) -> Void
  ) throws -> (LoadedConfiguration, Snapshot, FileTrace) {
    let attempt = ConfigurationLoader.attempt(path: path)
    let findings = attempt.diagnostics
    guard let loaded = attempt.configuration else { throw ConfigurationErrors(findings: findings) }
    let (snapshot, tlsFindings) = SnapshotBuilder.build(loaded, now: Clock.system.wall())
    let all = (findings + tlsFindings).sorted { $0.location < $1.location }
    guard let snapshot else { throw ConfigurationErrors(findings: all) }
    report(all)
    return (loaded, snapshot, attempt.trace)
  }
}
