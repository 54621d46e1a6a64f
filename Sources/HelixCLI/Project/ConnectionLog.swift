import ArgumentParser
import HelixSSH
import Logging

/// Tells what the connections do, for whoever looks for a fault in them.
struct ConnectionLog: Sendable {
  private let logger: Logger

  init(level: LogLevel) {
    var logger = Logger(label: "helix.ssh") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = Logger.Level(rawValue: level.rawValue) ?? .warning
    self.logger = logger
  }

  /// Takes an event; all but what is usual is told at every level but `error`.
  func take(_ event: SSHEvent) {
    switch event {
    case .connected(let host, let address):
      logger.debug("connected", metadata: ["host": "\(host)", "address": "\(address)"])
    case .acceptedHostKey(let host, let fingerprint, let file):
      logger.warning(
        "trusting a new host key from now on",
        metadata: ["host": "\(host)", "key": "\(fingerprint)", "file": "\(file)"])
    case .secondTransport(let host, let reason):
      logger.warning(
        "connecting with the system's ssh", metadata: ["host": "\(host)", "why": "\(reason)"])
    case .bulkConnected(let host):
      logger.debug("connected once more for large files", metadata: ["host": "\(host)"])
    case .bulkRefused(let host, let reason):
      logger.debug(
        "large files stay on the first connection",
        metadata: ["host": "\(host)", "why": "\(reason)"])
    case .touchNeeded(let host, let key):
      logger.warning("touch your security key", metadata: ["host": "\(host)", "key": "\(key)"])
    case .requested(let host):
      logger.debug("command sent", metadata: ["host": "\(host)"])
    }
  }
}

/// How much is told, in swift-log's words.
enum LogLevel: String, ExpressibleByArgument, CaseIterable {
  case debug, warning, error
}
