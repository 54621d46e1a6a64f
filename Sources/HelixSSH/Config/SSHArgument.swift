import HelixModel

/// One argument of ssh's: a letter with its value, or some letters that have none.
struct SSHArgument {
  /// Letters whose value is the rest of the word, or the next one.
  private static let withValue: Set<Character> = Set("BFIJbcilmop")

  let letter: Character
  /// Nil for letters that have none.
  let value: String?
  /// As it was written.
  let words: [String]

  /// The arguments of a call, which end at `--`.
  static func list(of call: [String]) -> [SSHArgument] {
    var rest = (call.lastIndex(of: "--").map { call[..<$0] } ?? [])[...]
    var list: [SSHArgument] = []
    while let word = rest.popFirst() {
      let letter = word.dropFirst().first ?? "-"
      guard withValue.contains(letter) else {
        list.append(SSHArgument(letter: letter, value: nil, words: [word]))
        continue
      }
      let attached = word.dropFirst(2)
      let next = attached.isEmpty ? rest.popFirst() : nil
      list.append(
        SSHArgument(
          letter: letter, value: next ?? String(attached), words: [word] + (next.map { [$0] } ?? [])
        ))
    }
    return list
  }
}

// MARK: - For another folder

extension SSHArgument {
  /// Options that name files.
  private static let fileKeywords: Set<String> = [
    "certificatefile", "controlpath", "globalknownhostsfile", "identityagent", "identityfile",
    "revokedhostkeys", "userknownhostsfile",
  ]
  /// Options that name libraries, which are looked for elsewhere when they have no slash.
  private static let libraryKeywords: Set<String> = ["pkcs11provider", "securitykeyprovider"]

  /// A call for an `ssh` whose working folder is another one.
  static func rooted(_ call: [String], in folder: String) -> [String] {
    let end = call.lastIndex(of: "--").map { Array(call[$0...]) } ?? call
    return list(of: call).flatMap { $0.rooted(in: folder) } + end
  }

  private func rooted(in folder: String) -> [String] {
    guard let value else { return words }
    switch letter {
    case "F": return ["-F", Self.rooted(value, in: folder)]
    // Behind -i ssh looks for the file before it fills in tokens.
    case "i":
      let file = Self.rooted(value, in: Tokens.literal(folder))
      return ["-o", "IdentityFile=\(ConfigLine.quoted(file))"]
    case "I" where value.contains("/"): return ["-I", Self.rooted(value, in: folder)]
    case "o": return Self.option(value, in: folder).map { ["-o", $0] } ?? words
    default: return words
    }
  }

  /// An option with the files that it names; nil when it names none.
  private static func option(_ text: String, in folder: String) -> String? {
    let place = SourceLocation(file: "", line: 1, column: 1)
    guard let line = try? ConfigLine.read(text.utf8, at: .somewhere(place)) else { return nil }
    let name = line.keyword.value.lowercased()
    let isLibrary = libraryKeywords.contains(name)
    guard isLibrary || fileKeywords.contains(name) else { return nil }
    let files = line.words.map(\.value).map { file in
      isLibrary && !file.contains("/")
        ? file : rooted(file, in: isLibrary ? folder : Tokens.literal(folder))
    }
    return "\(line.keyword.value)=\(files.map(ConfigLine.quoted).joined(separator: " "))"
  }

  /// A path from a folder on, unless it begins elsewhere or is one of the words that are no paths.
  private static func rooted(_ path: String, in folder: String) -> String {
    let beginsElsewhere = ["/", "~", "$", "%d"].contains(where: path.hasPrefix)
    let isWord = ["none", "ssh_auth_sock"].contains(path.lowercased())
    return beginsElsewhere || isWord ? path : "\(folder)/\(path)"
  }
}
