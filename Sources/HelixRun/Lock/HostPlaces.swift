import HelixPlan

extension HostPlaces {
  /// Shell that defines `helix_keep FILE TEXT`: the file holds the old text or the new one, whatever
  /// happens, and the new one survives a loss of power.
  static let keeping = """
    helix_keep() {
    printf '%s\\n' "$2" >"$1.new" || return 1
    sync "$1.new" 2>/dev/null || :
    mv -f "$1.new" "$1"
    }
    """
}

/// A text as a word that may stand in file and unit names: lower-case letters, digits and dashes.
func slug(_ text: String, longest: Int = 60) -> String {
  var slug = ""
  for letter in text.unicodeScalars {
    switch letter {
    case "a"..."z", "0"..."9": slug.unicodeScalars.append(letter)
    case "A"..."Z": slug += letter.properties.lowercaseMapping
    default: if slug.last != "-" { slug += "-" }
    }
  }
  return String(slug.prefix(longest)).trimming("-")
}

extension String {
  fileprivate func trimming(_ letter: Character) -> String {
    var text = drop { $0 == letter }
    while text.last == letter { text.removeLast() }
    return String(text)
  }
}
