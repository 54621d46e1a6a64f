import HelixModel
import HelixPlan

/// A host's clock, in seconds, and the asker's clock when the question was sent, if it was told.
struct ClockReading: Sendable, Hashable {
  var host: Int
  var asker: Int?

  /// How far k3s lets clocks be apart before certificates look not yet valid.
  static let tolerance = 30

  static let fact = Fact<ClockReading>(
    "k3s-clock", command: #"printf '%s %s\n' "$(date +%s)" "${\#(FactPrelude.nowVariable):-}""#,
    parse: parse, summary: \.summary)

  /// The reading against the asker's clock, so that hosts asked at different times compare.
  var offset: Int { host - (asker ?? 0) }

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> ClockReading {
    let numbers = words(of: answer.output.split(separator: "\n").first ?? "").map { Int($0) }
    guard let first = numbers.first, let host = first else {
      throw Diagnostic("the host does not tell the time", reason: "date +%s printed no number")
    }
    return ClockReading(host: host, asker: numbers.count > 1 ? numbers[1] : nil)
  }

  // The reading itself is never the same twice.
  private var summary: String {
    guard asker != nil else { return "a clock" }
    return abs(offset) <= Self.tolerance ? "in time" : "off by more than \(Self.tolerance) s"
  }
}
