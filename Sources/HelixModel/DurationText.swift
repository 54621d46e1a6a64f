/// The whole seconds of a duration such as `90s`, `5m` or `1h30m`; nil for anything else.
package func secondsOfDuration(_ text: String) -> Int? {
  guard !text.isEmpty else { return nil }
  var total = 0
  var digits = ""
  for character in text {
    if ("0"..."9").contains(character) {
      digits.append(character)
      continue
    }
    guard let number = Int(digits), number < 1_000_000,
      let unit = ["s": 1, "m": 60, "h": 3600][character]
    else { return nil }
    total += number * unit
    digits = ""
  }
  return digits.isEmpty && total > 0 ? total : nil
}
