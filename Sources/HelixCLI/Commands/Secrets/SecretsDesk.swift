import Foundation
import HelixAge
import HelixInventory
import HelixModel
import HelixSOPS
import HelixSSH
import HelixSecrets

/// What the commands about secrets work with: this machine's keys, the rules, and files.
struct SecretsDesk {
  /// What cluster.yaml says, if there is one.
  let spec: SecretsSpec?
  let sources: IdentitySources
  let findings: [IdentityFinding]
  let opener: FileOpener
  let tools: WritingTools
  private let environment: [String: String]

  /// - Throws: a `Diagnostic` when cluster.yaml is there and cannot be read.
  init(inventory: String) throws {
    self.init(
      try InventoryReader.secrets(
        folder: inventory, reader: DiskSourceReader(digest: sha256(of:))))
  }

  init(_ spec: SecretsSpec?) {
    CoreFiles.forbid()
    self.spec = spec
    environment = ProcessInfo.processInfo.environment
    sources = IdentitySources(
      environment: environment, home: NSHomeDirectory(), estateFile: spec?.identity?.value,
      keys: Self.keys, run: Self.run)
    findings = sources.findings()
    let pgp = GPGProgram(environment: environment)
    opener = FileOpener(
      keyring: Keyring(identities: findings.flatMap(\.identities), pgp: pgp), findings: findings)
    tools = WritingTools(
      age: Self.keys, pgp: pgp, now: Moment(secondsSince1970: Int(Date().timeIntervalSince1970)))
  }

  /// The keys of age, and of SSH through libcrypto; a passphrase is asked for on the terminal.
  private static var keys: AgeKeys {
    let prompter = TerminalPrompter()
    return AgeKeys(ssh: EncryptionKeys(), passphrase: { prompter.askAndWait("\($0): ") })
  }

  private static func run(_ words: [String]) throws(Diagnostic) -> [UInt8] {
    let environment = ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }
    guard !words.isEmpty,
      let ran = PipedProgram.run(words, environment: environment, input: [], limit: 1 << 20)
    else { throw Diagnostic("the program of SOPS_AGE_KEY_CMD cannot be started") }
    guard ran.status == 0 else {
      throw Diagnostic("the program of SOPS_AGE_KEY_CMD ended with status \(ran.status)")
    }
    return ran.output
  }
}

extension SecretsDesk {
  /// The rules that hold here: those of `SOPS_CONFIG`, or of the nearest `.sops.yaml`.
  ///
  /// - Throws: every mistake in them.
  func config() throws(Diagnostics) -> SOPSConfig.Search {
    try SOPSConfig.find(
      named: nil, environment: environment, from: workingFolder,
      reader: DiskSourceReader(digest: sha256(of:)))
  }

  /// A look at some files, or at all that git would take.
  func scan(_ files: [String] = [], config: SOPSConfig?) -> RepositoryScan {
    RepositoryScan(
      of: files.isEmpty ? RepositoryFiles.paths(in: ".") : files, config: config,
      workingFolder: workingFolder, isRepository: GitView(in: ".").isRepository)
  }

  /// What the identities for the cluster were shown to open.
  ///
  /// - Throws: `Diagnostics` when the rules have mistakes, a `Diagnostic` when there is no identity.
  func identityProof() throws -> IdentityProof {
    let config = try config().config
    return try IdentityProving(
      AgeIdentityText(findings), scan: scan(config: config), config: config
    ).proof()
  }

  /// The file of identities that cluster.yaml names, and whether git would take it.
  var estateIdentity: (path: String, isTaken: Bool)? {
    (spec?.identity?.value).map { ($0, GitView(in: ".").wouldTake($0)) }
  }

  /// Where the values are that plans speak of.
  func store(folder: String) -> EstateSecretStore {
    EstateSecretStore(
      folder: FolderSecretStore(folder: folder), files: spec?.files.map(\.value) ?? [],
      vault: SOPSVault(opener), identities: AgeIdentityText(findings))
  }

  private var workingFolder: String { FileManager.default.currentDirectoryPath }

  /// How a new file is to be encrypted: by its rule, or for recipients that are named.
  ///
  /// - Throws: a `Diagnostic` when neither says for whom.
  func options(for path: String, recipients: [String]) throws -> EncryptionOptions {
    let named = recipients.isEmpty ? environmentRecipients : recipients
    let own = named.isEmpty ? nil : [KeyGroup(try named.map(ageKey))]
    let config = try config().config
    guard let config, let decision = config.decision(for: path, workingFolder: workingFolder)
    else {
      guard let own else { throw nobody(path) }
      return EncryptionOptions(groups: own)
    }
    guard let rule = decision.rule else { throw noRule(path, config) }
    return EncryptionOptions(
      groups: own ?? rule.keyGroups, threshold: own == nil ? rule.shamirThreshold : nil,
      rule: rule.selection, macOnlyEncrypted: rule.macOnlyEncrypted)
  }

  private var environmentRecipients: [String] {
    (environment["SOPS_AGE_RECIPIENTS"] ?? "").split(separator: ",").map(String.init)
  }

  /// - Throws: a `Diagnostic` when the text is no recipient.
  func ageKey(_ text: String) throws(Diagnostic) -> MasterKey {
    do throws(AgeProblem) {
      _ = try Self.keys.recipient(text)
      return .age(text)
    } catch {
      throw Diagnostic(
        "this is no age recipient", reason: error.reason,
        remedy: "a recipient is a public key such as age1… or ssh-ed25519 …")
    }
  }

  private func nobody(_ path: String) -> Diagnostic {
    Diagnostic(
      "nothing says for whom \(path) is to be encrypted",
      reason: "there is no .sops.yaml here or above, and no recipient was named",
      remedy: "write creation_rules into .sops.yaml, or name a recipient: --age age1…")
  }

  private func noRule(_ path: String, _ config: SOPSConfig) -> Diagnostic {
    Diagnostic(
      "no creation rule of \(config.file) is for \(path)",
      reason: "rules are for paths below the folder of \(config.file), the first that matches",
      remedy: "add a rule whose path_regex matches the path, or move the file")
  }
}
