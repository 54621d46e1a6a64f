internal import Foundation
package import HelixAge
package import HelixModel

/// A place where identities were looked for, and what came of it.
package struct IdentityFinding: Sendable {
  /// As people know it: `SOPS_AGE_KEY_FILE (/home/ops/key.txt)`.
  package var source: String
  package var identities: [any AgeIdentity]
  /// Why nothing could be taken from it, though it is there.
  package var problem: Diagnostic?
  /// Whether it comes from the environment, where it is easily forgotten.
  package var isFromEnvironment: Bool

  /// The public keys of what was found.
  package var recipients: [String] { identities.flatMap(\.recipients) }
}

/// Where this machine keeps its age identities, in the order in which sops looks; what is found in
/// all places counts, and a place that cannot be read counts against nothing that another opens.
package struct IdentitySources: Sendable {
  /// Runs a program, whose words are given, and gives what it printed.
  package typealias Runner =
    @Sendable (_ words: [String]) throws(Diagnostic) -> [UInt8]

  private let environment: [String: String]
  private let home: String
  /// The file that cluster.yaml names.
  private let estateFile: String?
  private let keys: AgeKeys
  private let run: Runner

  package init(
    environment: [String: String], home: String, estateFile: String? = nil, keys: AgeKeys,
    run: @escaping Runner
  ) {
    self.environment = environment
    self.home = home
    self.estateFile = estateFile
    self.keys = keys
    self.run = run
  }

  /// Every place that is set or there, with what it holds.
  package func findings() -> [IdentityFinding] {
    [
      estateFile.map { file($0, as: "cluster.yaml (\($0))") },
      text("SOPS_AGE_KEY"),
      variable("SOPS_AGE_KEY_FILE").map {
        file($0, as: "SOPS_AGE_KEY_FILE (\($0))", isFromEnvironment: true)
      },
      variable("SOPS_AGE_KEY_CMD").map(command),
      present(usualFile).map { file($0, as: $0) },
      variable("SOPS_AGE_SSH_PRIVATE_KEY_FILE").map {
        file($0, as: "SOPS_AGE_SSH_PRIVATE_KEY_FILE (\($0))", isFromEnvironment: true)
      },
      present("\(home)/.ssh/id_ed25519").map { file($0, as: $0) },
      present("\(home)/.ssh/id_rsa").map { file($0, as: $0) },
    ].compactMap { $0 }
  }

  /// The file that sops and age users keep their identities in.
  package var usualFile: String {
    let folder = variable("XDG_CONFIG_HOME") ?? "\(home)/.config"
    return "\(folder)/sops/age/keys.txt"
  }

  private func variable(_ name: String) -> String? {
    environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  private func present(_ path: String) -> String? {
    FileManager.default.fileExists(atPath: path) ? path : nil
  }

  /// Several keys may stand in one variable, apart by lines or blanks.
  private func text(_ name: String) -> IdentityFinding? {
    guard let text = variable(name) else { return nil }
    let lines = text.split(whereSeparator: \.isWhitespace).joined(separator: "\n")
    return finding(as: name, isFromEnvironment: true) { () throws(Diagnostic) in
      try keys.identities(in: SecretValue(lines), path: name)
    }
  }

  private func command(_ line: String) -> IdentityFinding {
    finding(as: "SOPS_AGE_KEY_CMD", isFromEnvironment: true) { () throws(Diagnostic) in
      let printed = try run(words(ofCommand: line))
      return try keys.identities(in: SecretValue(printed), path: "SOPS_AGE_KEY_CMD")
    }
  }

  private func file(
    _ path: String, as source: String, isFromEnvironment: Bool = false
  ) -> IdentityFinding {
    finding(as: source, isFromEnvironment: isFromEnvironment) { () throws(Diagnostic) in
      let file = try GuardedFile(reading: path)
      return try keys.identities(in: SecretValue(file.bytes), path: path)
    }
  }

  private func finding(
    as source: String, isFromEnvironment: Bool,
    _ read: () throws(Diagnostic) -> [any AgeIdentity]
  ) -> IdentityFinding {
    do throws(Diagnostic) {
      return IdentityFinding(
        source: source, identities: try read(), problem: nil, isFromEnvironment: isFromEnvironment)
    } catch {
      return IdentityFinding(
        source: source, identities: [], problem: error, isFromEnvironment: isFromEnvironment)
    }
  }
}

/// The words of a command line as a shell takes them apart, quotes and backslashes included, and
/// nothing else of a shell.
func words(ofCommand line: String) -> [String] {
  var words: [String] = []
  var word: String?
  var quote: Character?
  var isEscaped = false
  for letter in line {
    if isEscaped {
      word = (word ?? "") + String(letter)
      isEscaped = false
    } else if letter == "\\", quote != "'" {
      isEscaped = true
    } else if let mark = quote {
      if letter == mark { quote = nil } else { word = (word ?? "") + String(letter) }
    } else if letter == "'" || letter == "\"" {
      quote = letter
      word = word ?? ""
    } else if letter.isWhitespace {
      if let whole = word { words.append(whole) }
      word = nil
    } else {
      word = (word ?? "") + String(letter)
    }
  }
  return words + [word].compactMap { $0 }
}
