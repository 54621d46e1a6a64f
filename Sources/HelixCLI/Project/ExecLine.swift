import Foundation
import HelixModel
import HelixRun

/// One host's answer to `exec --json`, a line of JSON.
struct ExecLine: Encodable {
  private let answer: Broadcast.Answer

  init(_ answer: Broadcast.Answer) { self.answer = answer }

  private enum Key: String, CodingKey {
    case host, seconds, status, stdout, stderr, truncated, unreachable
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(answer.host.rawValue, forKey: .host)
    try container.encode(answer.seconds, forKey: .seconds)
    switch answer.outcome {
    case .ended(let output):
      try container.encode(output.status, forKey: .status)
      try container.encode(output.output, forKey: .stdout)
      try container.encode(output.errors, forKey: .stderr)
      try container.encode(output.isTruncated, forKey: .truncated)
    case .unreachable(let diagnostic): try container.encode(diagnostic, forKey: .unreachable)
    }
  }
}

/// How an exec went on all hosts together.
struct ExecTally: Equatable {
  private(set) var hosts: Int
  private(set) var done = 0
  private(set) var failed = 0
  private(set) var unreachable = 0
  private var highest = 0

  /// A tally of so many hosts, none of which has answered yet.
  init(hosts: Int) { self.hosts = hosts }

  mutating func count(_ answer: Broadcast.Answer) {
    switch answer.outcome {
    case .ended(let output) where output.status == 0: done += 1
    case .ended(let output):
      failed += 1
      highest = max(highest, output.status)
    case .unreachable:
      unreachable += 1
      highest = Self.unreachableStatus
    }
  }

  /// Those that were told to end, or never had their turn.
  var interrupted: Int { hosts - done - failed - unreachable }

  /// What the process says to its caller.
  var status: Int32 {
    interrupted > 0
      ? ExitStatus.interrupted.rawValue : Int32(min(highest, Self.unreachableStatus))
  }

  /// As ssh has it.
  private static let unreachableStatus = 255
}
