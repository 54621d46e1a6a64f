internal import Foundation
package import HelixModel
private import Synchronization

/// Takes secrets from a folder that holds one file for each, named like the secret.
///
/// A value is read once, so that everything one run writes comes from the same value. Messages
/// name the file and never hold a `SourceLocation`: what shows a place also quotes its line.
package final class FolderSecretStore: SecretStore {
  let folder: String
  private let values = Mutex<[SecretName: SecretValue]>([:])

  package init(folder: String = "secrets") {
    self.folder = folder
  }

  package func value(of name: SecretName) throws(Diagnostic) -> SecretValue {
    try values.withLock { (values) throws(Diagnostic) in
      if let value = values[name] { return value }
      let value = try read(name)
      values[name] = value
      return value
    }
  }

  /// The secrets that the folder has, by name and in order, whether or not they are safe to use.
  package var names: [SecretName] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.filter { isFileName($0) && !$0.hasSuffix(".sops.yaml") && $0 != "README.md" }
      .sorted().map(SecretName.init(_:))
  }

  private func read(_ name: SecretName) throws(Diagnostic) -> SecretValue {
    guard isFileName(name.rawValue) else { throw wrongName(name) }
    let path = "\(folder)/\(name.rawValue)"
    guard let target = resolved(path) else { throw unknown(name) }
    guard let home = resolved(folder), target.hasPrefix(home + "/") else {
      throw leadsAway(path)
    }
    let bytes: [UInt8]
    do {
      bytes = try PrivateFile.read(target)
    } catch {
      throw PrivateFile.diagnostic(for: error, at: path)
    }
    for file in Set(["\(home)/\(name.rawValue)", target]) where GitIndex.names(file) {
      throw tracked(path)
    }
    return SecretValue(try checked(bytes, path: path))
  }

  /// A leading dot is refused with the rest: hidden files are editors' and git's.
  private func isFileName(_ name: String) -> Bool {
    !name.isEmpty && !name.hasPrefix(".") && !name.utf8.contains { $0 == 0x2F || $0 < 0x20 }
  }

  /// The value without the newline that ends the file.
  private func checked(_ file: [UInt8], path: String) throws(Diagnostic) -> [UInt8] {
    let bytes = file.last == 0x0A ? Array(file.dropLast()) : file
    guard bytes.contains(where: { $0 > 0x20 }) else { throw empty(path) }
    guard !bytes.contains(where: { [0x00, 0x0A, 0x0D].contains($0) }) else {
      throw manyLines(path)
    }
    guard String(validating: bytes, as: UTF8.self) != nil else { throw notText(path) }
    return bytes
  }
}

/// The path without links; nil when nothing is there.
private func resolved(_ path: String) -> String? {
  guard let real = realpath(path, nil) else { return nil }
  defer { free(real) }
  return String(cString: real)
}

extension FolderSecretStore {
  private func unknown(_ name: SecretName) -> Diagnostic {
    let path = "\(folder)/\(name.rawValue)"
    let nearest = nearestName(to: name.rawValue, among: names.map(\.rawValue))
    let guess = nearest.map { "did you mean \"\($0)\"? or make it: " } ?? "make it: "
    return Diagnostic(
      "no secret named \"\(name.rawValue)\"", reason: "there is no file \(path)",
      remedy: guess + recipe(for: path))
  }

  /// A command line that makes a value and never lets anyone else see it.
  private func recipe(for path: String) -> String {
    let create = access(folder, F_OK) == 0 ? "" : "mkdir -p \(shellQuoted(folder)); "
    return "(umask 077; \(create)openssl rand -hex 32 > \(shellQuoted(path)))"
  }

  private func wrongName(_ name: SecretName) -> Diagnostic {
    Diagnostic(
      "\"\(name.rawValue)\" cannot be a secret's name",
      reason: "a secret is named like its file in \(folder)/",
      remedy: "use a plain file name, without \"/\" and not beginning with \".\"")
  }

  private func leadsAway(_ path: String) -> Diagnostic {
    Diagnostic(
      "\(path) is a link that leads out of \(folder)",
      reason: "what is outside is not looked after as a secret",
      remedy: "put the file itself into \(folder)")
  }

  private func tracked(_ path: String) -> Diagnostic {
    Diagnostic(
      "\(path) is tracked by git", reason: "every clone would hold the value",
      remedy: "git rm --cached \(shellQuoted(path)), ignore it, and change the value if it was"
        + " ever pushed")
  }

  private func empty(_ path: String) -> Diagnostic {
    Diagnostic("\(path) is empty", remedy: recipe(for: path))
  }

  private func manyLines(_ path: String) -> Diagnostic {
    Diagnostic(
      "\(path) holds more than one line, or a NUL or carriage return",
      reason: "a secret is one line of text", remedy: "leave only the value in the file")
  }

  private func notText(_ path: String) -> Diagnostic {
    Diagnostic(
      "\(path) is not UTF-8 text", reason: "its value is written into YAML, which is text",
      remedy: "store binary values in base64 or hex")
  }
}
