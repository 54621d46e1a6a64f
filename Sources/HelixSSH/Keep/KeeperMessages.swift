package import HelixModel

/// The language between runs and keepers; what speaks another one must not be spoken to.
enum KeeperLanguage {
  static let version = 1
}

/// What a run says to the keeper; the frame's number names the request.
enum ClientMessage: Sendable {
  /// Comes first: for how long, after its last request, this run wants things kept.
  case hello(keep: Duration)
  /// Makes sure that a host's session works; its number names the link from then on.
  case open(SSHSettings)
  case run(Command, link: Int)
  case send(FileTransfer, link: Int)
  /// Ends a host's session.
  case close(link: Int)
  /// Nobody waits for the request any more.
  case cancel
  case list
  /// Ends the keeper and all it holds.
  case stop
  /// What the person answered to the question of the same number.
  case answer(KeeperAnswer)
}

/// What the keeper says to a run.
enum KeeperMessage: Sendable {
  case welcome(version: Int)
  case done
  case output(CommandOutput)
  case failed(Diagnostic)
  case event(SSHEvent)
  case progress(FileTransfer.Progress)
  /// Something only a person can answer.
  case ask(String)
  case links([KeptConnection])
  /// The request is being worked on.
  case alive
  /// The keeper ends; no request above the last one was looked at.
  case farewell(last: Int)
}

/// A session that a keeper holds.
package struct KeptConnection: Hashable, Sendable {
  package var host: HostName
  /// `user@address`, with the port where it is not the usual one.
  package var target: String
  /// How long the session is open already.
  package var age: Duration
  /// How long ago it was last used.
  package var idle: Duration
}

extension ClientMessage {
  /// What the keeper has to hold for it.
  var weight: Int {
    if case .run(let command, _) = self { Allowance.weight(of: command) } else { Allowance.least }
  }
}

// MARK: - As frames

extension ClientMessage {
  func frame(_ number: Int) -> Frame {
    let (kind, content): (UInt8, [UInt8]) =
      switch self {
      case .hello(let keep): (1, keep.wired)
      case .open(let settings): (2, settings.wired)
      case .run(let command, let link): (3, link.wired + command.wired)
      case .close(let link): (4, link.wired)
      case .cancel: (5, [])
      case .list: (6, [])
      case .stop: (7, [])
      case .answer(let answer): (8, answer.wired)
      case .send(let transfer, let link): (9, link.wired + transfer.wired)
      }
    return Frame(kind: kind, number: number, content: content)
  }

  /// Nil when the frame makes no sense.
  init?(_ frame: Frame) {
    let content = frame.content
    let message: ClientMessage? =
      switch (frame.kind, content.isEmpty) {
      case (1, _): Duration(wired: content).map { .hello(keep: $0) }
      case (2, _): SSHSettings(wired: content).map { .open($0) }
      case (3, _): Self.overLink(content).map { .run($0, link: $1) }
      case (4, _): Int(wired: content).map { .close(link: $0) }
      case (5, true): .cancel
      case (6, true): .list
      case (7, true): .stop
      case (8, _): KeeperAnswer(wired: content).map { .answer($0) }
      case (9, _): Self.overLink(content).map { .send($0, link: $1) }
      default: nil
      }
    guard let message else { return nil }
    self = message
  }

  /// What is to be done over some link.
  private static func overLink<Value: WireValue>(_ content: [UInt8]) -> (Value, Int)? {
    var wire = Wire(reading: content)
    var (link, value) = (0, Value.blank)
    wire.carry(&link)
    wire.carry(&value)
    return wire.isIntact ? (value, link) : nil
  }
}

extension KeeperMessage {
  func frame(_ number: Int) -> Frame {
    let (kind, content): (UInt8, [UInt8]) =
      switch self {
      case .welcome(let version): (65, version.wired)
      case .done: (66, [])
      case .output(let output): (67, output.wired)
      case .failed(let diagnostic): (68, diagnostic.wired)
      case .event(let event): (69, event.wired)
      case .ask(let question): (70, question.wired)
      case .links(let links): (71, links.wired)
      case .alive: (72, [])
      case .farewell(let last): (73, last.wired)
      case .progress(let progress): (74, progress.wired)
      }
    return Frame(kind: kind, number: number, content: content)
  }

  /// Nil when the frame makes no sense.
  init?(_ frame: Frame) {
    let content = frame.content
    let message: KeeperMessage? =
      switch (frame.kind, content.isEmpty) {
      case (65, _): Int(wired: content).map { .welcome(version: $0) }
      case (66, true): .done
      case (67, _): CommandOutput(wired: content).map { .output($0) }
      case (68, _): Diagnostic(wired: content).map { .failed($0) }
      case (69, _): SSHEvent(wired: content).map { .event($0) }
      case (70, _): String(wired: content).map { .ask($0) }
      case (71, _): [KeptConnection](wired: content).map { .links($0) }
      case (72, true): .alive
      case (73, _): Int(wired: content).map { .farewell(last: $0) }
      case (74, _): FileTransfer.Progress(wired: content).map { .progress($0) }
      default: nil
      }
    guard let message else { return nil }
    self = message
  }
}

extension KeptConnection: WireValue {
  static var blank: KeptConnection {
    KeptConnection(host: "", target: "", age: .zero, idle: .zero)
  }
  mutating func travel(by wire: inout Wire) {
    wire.carry(&host)
    wire.carry(&target)
    wire.carry(&age)
    wire.carry(&idle)
  }
}
