import HelixModel
import HelixPlan

/// Decides how a wait goes on: when to ask again, when to look for the cause, when to give up.
struct WaitWatch {
  /// What a diagnosis found: the sign that its newest telling line carries.
  struct Finding: Hashable {
    let sign: Diagnosis.Sign
    let line: String
  }

  /// How often the condition is asked between two looks for the cause.
  private static let askingsPerDiagnosis = 5
  private static let longestPause: Duration = .seconds(15)

  private let interval: Duration
  private var askings = 0
  private var drops = 0
  private(set) var finding: Finding?
  private(set) var evidence: [String] = []
  /// Whether the last two looks showed the same cause, and waiting longer is in vain.
  private(set) var isHopeless = false

  init(interval: Duration) { self.interval = max(interval, .milliseconds(1)) }

  /// Notes that the condition was asked and is not so.
  ///
  /// - Returns: whether it is time to look for the cause.
  mutating func notYet() -> Bool {
    drops = 0
    askings += 1
    return askings.isMultiple(of: Self.askingsPerDiagnosis)
  }

  /// Notes that the connection was lost while asking.
  mutating func dropped() { drops += 1 }

  /// How long to wait before asking again: after lost connections longer each time.
  var pause: Duration {
    guard drops > 0 else { return interval }
    return min(max(interval, .seconds(1)) * (1 << min(drops - 1, 8)), Self.longestPause)
  }

  /// Notes what a look for the cause printed.
  mutating func diagnosed(_ output: String, by diagnosis: Diagnosis) {
    let lines = plainLines(output, last: .max)
    evidence = Array(lines.suffix(20))
    let found = Self.newestSign(in: lines, of: diagnosis)
    isHopeless = found?.sign.isFatal == true && found?.sign == finding?.sign
    finding = found
  }

  private static func newestSign(in lines: [String], of diagnosis: Diagnosis) -> Finding? {
    for line in lines.reversed() {
      if let sign = diagnosis.signs.first(where: { line.contains($0.pattern) }) {
        return Finding(sign: sign, line: line)
      }
    }
    return nil
  }
}
