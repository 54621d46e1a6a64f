import HelixModel
import HelixPlan

/// The systemd unit of k3s, its environment file, and the commands and scripts that come with it.
struct K3sUnit: K3sResource {
  static let kind = "k3s-unit"
  let node: K3sNode

  var after: [Address] { [node.address(K3sArtifact.kind)] }

  private var fact: Fact<InstalledUnit> { InstalledUnit.fact(node.role) }

  var ownQuestions: [Question] {
    [
      Question(fact, on: node.host), Question(InstalledConfig.fact, on: node.host),
      Question(MachineFacts.fact, on: node.host),
    ]
  }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let installed = try sight.read(fact, on: node.host)
    let machine = try sight.read(MachineFacts.fact, on: node.host)
    let digest = { [fingerprints = sight.fingerprints] in fingerprints.digest(of: $0) }
    return try node.judge(&sight) { (_, view) throws(Diagnostic) in
      let wanted = self.node.settings(view.entry, addresses: machine.addresses)
      if let lost = self.lostFlags(installed, wanted) { return .refused(lost) }
      let pieces = self.pieces(installed, digest)
      guard !pieces.isEmpty else { return .unchanged(reason: self.standing(installed)) }
      return self.inTurn(self.work(pieces, installed, view), view)
    }
  }

  private func standing(_ installed: InstalledUnit) -> String {
    installed.isOurs ? "the unit is in place" : "another tool's unit does the same"
  }

  private func work(
    _ pieces: [Piece], _ installed: InstalledUnit, _ view: NodeView
  ) -> Work {
    let reload = Instruction.run(script: "systemctl daemon-reload")
    let replacesUnit = pieces.contains { $0.field.name == K3sPaths.unit(node.role) }
    return Work(
      installed.text == nil ? .create : .update, fields: pieces.map(\.field),
      reason: installed.text == nil ? "there is no unit" : "the unit or what belongs to it differs",
      after: waits(view).after, behind: waits(view).behind,
      steps: [
        step(
          replacesUnit ? "write" : tidyStep, "write \(node.role.service)'s unit on \(node.host)",
          pieces.map(\.instruction) + (replacesUnit ? [reload] : []))
      ])
  }
}

// MARK: - What belongs to a unit

extension K3sUnit {
  /// One thing to mend and how.
  private struct Piece {
    var field: FieldChange
    var instruction: Instruction
  }

  private func pieces(_ installed: InstalledUnit, _ digest: (String) -> String) -> [Piece] {
    let unit = installed.does(node.role) ? nil : unitPiece(installed)
    return [unit, environmentPiece(installed)].compactMap(\.self)
      + scriptPieces(installed, digest) + linkPieces(installed)
  }

  private func unitPiece(_ installed: InstalledUnit) -> Piece {
    let path = K3sPaths.unit(node.role)
    let text = NodeScripts.unit(node.role)
    return Piece(
      field: FieldChange(path, diff: unifiedDiff(from: installed.text ?? "", to: text)),
      instruction: .write(FileWrite(path: path, content: TemplateText(text))))
  }

  /// What stands in the environment file is the user's; only its mode is ours.
  private func environmentPiece(_ installed: InstalledUnit) -> Piece? {
    guard installed.environmentMode != "600 root" else { return nil }
    let path = K3sPaths.environment(node.role)
    return Piece(
      field: FieldChange(path, before: installed.environmentMode, after: "600 root"),
      instruction: .run(
        script: "umask 077; [ -e \(path) ] || : >\(path); chown root: \(path) && chmod 600 \(path)")
    )
  }

  private func scriptPieces(
    _ installed: InstalledUnit, _ digest: (String) -> String
  ) -> [Piece] {
    let scripts = [
      (K3sPaths.killScript, NodeScripts.kill),
      (K3sPaths.uninstallScript(node.role), NodeScripts.uninstall(node.role)),
    ]
    return scripts.compactMap { path, text in
      let has = installed.scripts[path]
      guard has != "other", has != digest(text) else { return nil }
      return Piece(
        field: FieldChange(path, before: has.map(short), after: short(digest(text))),
        instruction: .write(FileWrite(path: path, content: TemplateText(text), mode: "0755")))
    }
  }

  private func linkPieces(_ installed: InstalledUnit) -> [Piece] {
    InstalledUnit.commands.filter { installed.links[$0] == InstalledUnit.Link.none }.map { name in
      let path = "/usr/local/bin/\(name)"
      return Piece(
        field: FieldChange(path, after: "k3s"),
        instruction: .run(script: "[ -e \(path) ] || ln -sfn k3s \(path)"))
    }
  }

  /// Flags of another tool's unit that the config does not say: taking over would drop them.
  private func lostFlags(_ installed: InstalledUnit, _ wanted: ConfigSettings) -> Diagnostic? {
    guard !installed.does(node.role) else { return nil }
    let owned = Set(ConfigRules.ownKeys.keys)
    let lost = installed.flags.values.filter { key, value in
      !owned.contains(key) && wanted[key]?.plain != value.plain
    }
    guard !lost.isEmpty else { return nil }
    let told = lost.sorted { $0.key < $1.key }.map { key, value in "\(key): \(value.plain)" }
    return Diagnostic(
      "the unit on \(node.host) sets \(told.joined(separator: ", ")), which cluster.yaml does not",
      reason: "helix-infra keeps all settings in \(K3sPaths.config), so these would be lost",
      remedy: "put them into k3s.\(node.role.rawValue)-config, or take them out of the unit",
      at: node.location)
  }
}

extension InstalledUnit {
  var isOurs: Bool { text?.contains(NodeScripts.mark) ?? false }

  /// Whether the unit runs k3s as ours would: a unit of ours is ours to the letter, one of another
  /// tool is judged by what it starts.
  func does(_ role: K3sRoleOfNode) -> Bool {
    guard let text else { return false }
    if isOurs { return text == NodeScripts.unit(role) }
    return command == [K3sPaths.binary, role.rawValue]
  }

  /// The words it starts, quotes taken off.
  private var command: [String] {
    guard let line = text?.split(separator: "\n").first(where: { $0.hasPrefix("ExecStart=") })
    else { return [] }
    return words(of: line.dropFirst("ExecStart=".count)).map { word in
      String(word.filter { $0 != "'" && $0 != "\"" })
    }
  }

  /// The settings that the unit gives k3s as flags.
  var flags: ConfigSettings {
    var settings = ConfigSettings()
    var rest = command.dropFirst(2)
    while let word = rest.popFirst() {
      guard word.hasPrefix("--") else { continue }
      let halves = word.dropFirst(2).split(separator: "=", maxSplits: 1).map(String.init)
      guard let key = halves.first else { continue }
      var value = halves.count > 1 ? halves[1] : "true"
      if halves.count == 1, let next = rest.first, !next.hasPrefix("-") {
        value = next
        rest.removeFirst()
      }
      let word: ConfigValue.Word =
        value.hasPrefix(InstalledConfig.hiddenMark) ? .hidden("") : .text(value)
      settings.values[key, default: ConfigValue(words: [], isList: false)].words.append(word)
    }
    return settings
  }
}
