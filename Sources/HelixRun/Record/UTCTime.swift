/// A moment in UTC, split as the Gregorian calendar splits it.
package struct UTCTime: Sendable {
  private let year, month, day, hour, minute, second, millisecond: Int

  /// - Parameter milliseconds: since 1970.
  package init(milliseconds: Int64) {
    let (days, inDay) = Int(milliseconds).flooredQuotient(by: 86_400_000)
    (year, month, day) = Self.date(daysSince1970: days)
    hour = inDay / 3_600_000
    minute = inDay / 60_000 % 60
    second = inDay / 1000 % 60
    millisecond = inDay % 1000
  }

  /// `2026-11-21T05:45:32.120Z`.
  package var text: String {
    "\(padded(year, 4))-\(padded(month))-\(padded(day))T"
      + "\(padded(hour)):\(padded(minute)):\(padded(second)).\(padded(millisecond, 3))Z"
  }

  /// `20261121T054532Z`, for names of files: sorted by name they are sorted by time.
  package var compact: String {
    "\(padded(year, 4))\(padded(month))\(padded(day))T"
      + "\(padded(hour))\(padded(minute))\(padded(second))Z"
  }

  /// Counts in years that begin in March, so that the leap day is the last of its year, and in
  /// eras of 400 years, all of which have as many days.
  private static func date(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
    let (era, dayOfEra) = (days + 719_468).flooredQuotient(by: 146_097)
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
  }
}

extension Int {
  /// Quotient and remainder with the remainder never negative.
  fileprivate func flooredQuotient(by divisor: Int) -> (Int, Int) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}

private func padded(_ number: Int, _ width: Int = 2) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
