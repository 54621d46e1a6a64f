import ArgumentParser
import Foundation
import HelixModel
import HelixSOPS
import HelixSecrets

/// Makes a secret once, and keeps it encrypted.
struct GenerateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate", abstract: "Make a secret from chance, and keep it encrypted.",
    discussion: """
      Writes 52 random letters and digits (260 bits) under the name into a SOPS file: the first of secrets.files in \
      cluster.yaml unless another is named. A secret that is there is never made anew, and neither is \
      one whose file cannot be opened.
      """)

  @Argument(help: "The secret's name, such as k3s-token.")
  var name: String

  @Option(help: "The file to keep it in.", completion: .file())
  var file: String?

  @OptionGroup var plain: SecretsOptions
  @OptionGroup var inventory: EstateOptions
  @OptionGroup var common: CommonOptions

  func run() async throws {
    try await Console.ofSecrets(common).atDesk(inventory) { console, desk in
      guard let path = file ?? desk.spec?.files.first?.value else { throw noFile }
      try refuseSecond(of: path, desk)
      if FileManager.default.fileExists(atPath: path) {
        try add(to: path, desk)
      } else {
        try create(path, desk)
      }
      console.note("made \(name) in \(path)\n")
    }
  }

  /// A value that is kept in another place would from then on have a second one beside it.
  private func refuseSecond(of path: String, _ desk: SecretsDesk) throws {
    let others = (desk.spec?.files.map(\.value) ?? []).filter { $0 != path }
    for other in others where FileManager.default.fileExists(atPath: other) {
      let document = try desk.opener.open(try GuardedFile(reading: other))
      if document.values.contains(where: { $0.place.steps.first == .key(name) }) {
        throw isThere(other)
      }
    }
    let store = FolderSecretStore(folder: plain.secrets)
    if store.names.contains(SecretName(name)) { throw isThere("\(plain.secrets)/") }
  }

  private func add(to path: String, _ desk: SecretsDesk) throws {
    let file = try GuardedFile(reading: path)
    let document = try desk.opener.open(file)
    guard !document.values.contains(where: { $0.place.steps.first == .key(name) }) else {
      throw isThere(path)
    }
    var random = SystemRandomNumberGenerator()
    let value = value(&random)
    let changed = try document.setting(
      [.key(name)], to: .text(value), tools: desk.tools, random: &random)
    guard let changed else { return }
    guard !String(decoding: changed, as: UTF8.self).contains(String(decoding: value, as: UTF8.self))
    else { throw wouldBePlain(path) }
    try file.replace(with: changed)
  }

  private func create(_ path: String, _ desk: SecretsDesk) throws {
    let format = SOPSFormat(path: path)
    guard format == .yaml else {
      throw Diagnostic(
        "\(path) is not there, and only a YAML file is made anew",
        remedy: "name a file that ends in .sops.yaml")
    }
    let options = try desk.options(for: path, recipients: [])
    var random = SystemRandomNumberGenerator()
    let line = Array("\(JSONText.write(.text(name))): ".utf8) + value(&random) + [0x0A]
    let sealed = try SOPSDocument.encrypt(
      line, format: format, file: path, options: options, tools: desk.tools, random: &random)
    let folder = (path as NSString).deletingLastPathComponent
    if !folder.isEmpty {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    try NewFile.write(sealed, to: path, mode: 0o644)
  }

  private func value(_ random: inout SystemRandomNumberGenerator) -> [UInt8] {
    // Letters first: what looks like a number would be read as one.
    let digits = Array("abcdefghjkmnpqrstuvwxyz0123456789".utf8)
    let head = digits[Int.random(in: 0..<23, using: &random)]
    return [head] + (0..<51).map { _ in digits[Int.random(in: 0..<digits.count, using: &random)] }
  }

  private func isThere(_ place: String) -> Diagnostic {
    Diagnostic(
      "\(place) has a \(name) already", reason: "a new value would lock out whoever uses the old",
      remedy: "give it another value on purpose: helix-infra secrets set")
  }

  private func wouldBePlain(_ path: String) -> Diagnostic {
    Diagnostic(
      "\(name) would stand in plain text in \(path)",
      reason: "the file's own choice of values leaves it out", remedy: "keep it in another file")
  }

  private var noFile: Diagnostic {
    Diagnostic(
      "nothing says in which file \(name) is to be kept",
      reason: "cluster.yaml has no secrets.files",
      remedy: "name one: --file secrets/cluster.sops.yaml")
  }
}
