import ArgumentParser

/// How long connections live on after a run, as the command line has it: `10m`, `90s`, `1h`, `0`.
struct KeepTime: ExpressibleByArgument, Hashable {
  /// What stands for the option where it is not given.
  static let variable = "HELIX_KEEP_CONNECTIONS"
  static let form = "a time is written as 90s, 10m or 1h, up to 24h; 0 keeps nothing"

  private static let seconds: [Character: Int] = ["s": 1, "m": 60, "h": 3600]
  private static let longest = 24 * 3600

  let duration: Duration

  init?(argument: String) {
    var digits = argument[...]
    let unit = digits.last.flatMap { Self.seconds[$0] }
    if unit != nil { digits.removeLast() }
    guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }),
      let count = Int(digits), count <= Self.longest, unit != nil || count == 0
    else { return nil }
    let seconds = count * (unit ?? 1)
    guard seconds <= Self.longest else { return nil }
    duration = .seconds(seconds)
  }
}
