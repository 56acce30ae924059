package import AccessPolicy
import EventLoop
import Glibc

/// What `serve` does, from the first look at the configuration to the last record.
package struct Server {
  private let configurationPath: String
  private let version: String
  /// Shows findings about the configuration to the person who started the process.
  private let report: ([Diagnostic]) -> Void

  package init(
    configurationPath: String, version: String, report: @escaping ([Diagnostic]) -> Void
  ) {
    self.configurationPath = configurationPath
    self.version = version
    self.report = report
  }

  /// - Returns: the exit code: 0 after a drain, 1 where a second signal cut it short, 2 where the gateway
  ///   cannot start.
  package func run() -> Int32 {
    do {
      // Before anything else opens a descriptor, and before the first thread: both read and change the
      // environment.
      let manager = ServiceManager.take()
      let handedOver = try HandedOverSockets.take()
      // Before the first thread: threads inherit the mask, so that signals come here alone (signalfd(2)).
      let signals = try SignalSource([SIGHUP, SIGTERM, SIGINT, SIGUSR1])
      SignalSource.ignoreWriteSignals()
      try ProcessHardening.apply()
      let running = try RunningGateway.start(
        configurationPath: configurationPath, version: version, handedOver: handedOver, report: report)
      var supervisor = try Supervisor(running: running, signals: signals, manager: manager)
      return try supervisor.run()
    } catch let failure as ConfigurationErrors {
      report(failure.findings)
      Console.error("countersign: not started: \(failure)")
    } catch {
      Console.error("countersign: not started: \(error)")
    }
    return 2
  }
}
