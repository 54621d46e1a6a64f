import HelixModel

/// Reads `ssh` arguments one by one and collects what is wrong with them.
struct SSHArgumentReader {
  private(set) var options: SSHOptions
  private(set) var problems: [Diagnostic] = []
  private var rest: ArraySlice<Located<String>> = []

  init(_ options: SSHOptions) { self.options = options }

  /// Reads some more arguments.
  mutating func read(_ arguments: [Located<String>]) {
    rest = arguments[...]
    while let argument = rest.popFirst() { read(argument) }
  }

  private mutating func read(_ argument: Located<String>) {
    let text = argument.value
    guard text.hasPrefix("-"), let letter = text.dropFirst().first else {
      return refuse(
        "\"\(text)\" is no ssh option", reason: "only options can stand here",
        remedy: "write -o Name=value", argument)
    }
    if Self.settings[letter] != nil || letter == "o" || letter == "F" {
      guard let value = value(of: argument) else { return }
      return take(letter, value)
    }
    switch letter {
    case "4", "6": options.family = letter == "4" ? .v4 : .v6
    case "A", "K":
      options.keep(SSHOptions.SystemMatter(keyword: text, reason: "the argument \(text)"))
    case "C", "q", "T", "x", "a", "n", "k", "v": refuseUnless(only: "CqTxankv", argument)
    default:
      refuse(
        "the ssh option \"\(text)\" is not supported",
        reason: "it asks for something that has no place beside the commands that are run",
        remedy: "known: -o Name=value, -b, -B, -c, -F, -i, -I, -J, -l, -m, -p, -4, -6, -A, -K",
        argument)
    }
  }

  /// Letters that stand for a keyword.
  private static let settings: [Character: String] = [
    "b": "BindAddress", "B": "BindInterface", "c": "Ciphers", "i": "IdentityFile",
    "I": "PKCS11Provider", "J": "ProxyJump", "l": "User", "m": "MACs", "p": "Port",
  ]

  private mutating func take(_ letter: Character, _ value: Located<String>) {
    switch letter {
    case "o": set(value.value, of: value)
    case "F": options.keep(\.configFile, value)
    default:
      // Quoted, since a letter's value is one word whatever is in it.
      let quoted =
        ["c", "i", "l", "m", "p"].contains(letter) ? ConfigLine.quoted(value.value) : value.value
      set("\(Self.settings[letter] ?? "") \(quoted)", of: value)
    }
  }

  /// The rest of the argument, or the next one.
  private mutating func value(of argument: Located<String>) -> Located<String>? {
    let attached = argument.value.dropFirst(2)
    if !attached.isEmpty { return Located(String(attached), at: argument.location) }
    if let next = rest.popFirst() { return next }
    refuse(
      "the ssh option \"\(argument.value)\" lacks its value", reason: "it is the last word",
      remedy: "write the value after it", argument)
    return nil
  }

  private mutating func refuseUnless(only letters: String, _ argument: Located<String>) {
    guard let odd = argument.value.dropFirst().first(where: { !letters.contains($0) }) else {
      return
    }
    refuse(
      "the ssh option \"-\(odd)\" is not supported",
      reason: "it asks for something that has no place beside the commands that are run",
      remedy: "write each option on its own, without -\(odd)", argument)
  }

  private mutating func refuse(
    _ summary: String, reason: String, remedy: String?, _ argument: Located<String>
  ) {
    problems.append(Diagnostic(summary, reason: reason, remedy: remedy, at: argument.location))
  }
}

// MARK: - Options by name

extension SSHArgumentReader {
  /// A line of configuration as the value of `-o`.
  private mutating func set(_ text: String, of argument: Located<String>) {
    do throws(ConfigLine.Problem) {
      guard let line = try ConfigLine.read(text.utf8, at: .somewhere(argument.location)) else {
        return refuseEmpty(argument)
      }
      try take(line, argument)
    } catch {
      switch error {
      case .noValue: refuseEmpty(argument)
      case .openQuote:
        refuse(
          "the ssh option \"\(argument.value)\" has a quotation mark that is never closed",
          reason: "ssh would refuse it, too", remedy: "close it", argument)
      }
    }
  }

  private mutating func take(
    _ line: ConfigLine, _ argument: Located<String>
  ) throws(ConfigLine.Problem) {
    let name = line.keyword.value
    guard let keyword = ConfigKeyword.named(name) else { return refuseUnknown(name, argument) }
    switch keyword.kind {
    case .host, .match, .include:
      return refuse(
        "\(keyword.name) cannot be an argument", reason: "ssh knows it in files only",
        remedy: "name a file with -F", argument)
    default: break
    }
    do throws(Diagnostic) {
      if let effect = try ConfigSetting.effect(of: line, keyword, from: .argument) {
        effect(&options)
      }
    } catch {
      problems.append(error)
    }
  }

  private mutating func refuseEmpty(_ argument: Located<String>) {
    refuse(
      "the ssh option \"\(argument.value)\" has no value",
      reason: "an option is a name and a value", remedy: "write -o Name=value", argument)
  }

  private mutating func refuseUnknown(_ name: String, _ argument: Located<String>) {
    if let patterns = options.ignoreUnknown,
      ConfigPattern.judge(patterns.lowercased(), name.lowercased()) == .matches
    {
      return
    }
    refuse(
      "unknown ssh option \"\(name)\"", reason: "nobody would know what it was meant to change",
      remedy: nearestName(to: name, among: ConfigKeyword.names).map { "did you mean \"\($0)\"?" }
        ?? "see man 5 ssh_config for their names", argument)
  }
}
