import HelixModel
import HelixPlan

/// The token file: the short form where a cluster begins, the form that pins the cluster's CA for all who join.
struct K3sToken: K3sResource {
  static let kind = "k3s-token"
  let node: K3sNode

  var after: [Address] { node.gates }
  var ownQuestions: [Question] { [Question(TokenFile.fact, on: node.host)] }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let secret: TemplateText = "\(secret: node.cluster.token)"
    let password = try sight.fingerprints.fingerprint(of: secret)
    let installed = try sight.read(TokenFile.fact, on: node.host)
    return try node.judge(&sight) { (sight, view) throws(Diagnostic) in
      if let other = self.holderOfAnotherToken(than: password, view.survey) {
        return .refused(self.anotherToken(other))
      }
      let fields = self.fields(installed, password, view)
      guard !fields.isEmpty else { return .unchanged(reason: "the token is the same") }
      return self.inTurn(self.work(fields, installed == nil, view), view)
    }
  }

  private func fields(
    _ installed: TokenFile?, _ password: String?, _ view: NodeView
  ) -> [FieldChange] {
    guard let installed else {
      return [FieldChange("token", after: content(view).shown.trimmingNewline)]
    }
    var fields: [FieldChange] = []
    if installed.password != password {
      fields.append(
        FieldChange(
          "token", before: "‹another value›", after: "‹secret \(node.cluster.token.rawValue)›"))
    }
    let wantedHash = caHash(view)
    if !accepts(installed.caHash, view) {
      fields.append(FieldChange("cluster", before: installed.caHash.map(short), after: wantedHash))
    }
    if installed.mode != "600 root" {
      fields.append(FieldChange("mode", before: installed.mode, after: "600 root"))
    }
    return fields
  }

  /// A member needs no pin any more, for it holds the CA itself.
  private func accepts(_ caHash: String?, _ view: NodeView) -> Bool {
    switch view.entry {
    case .initialise: caHash == nil
    case .member: caHash == nil || caHash == view.survey.ca
    case .join(let point): caHash.map { point.identity == .known($0) } ?? false
    }
  }

  private func caHash(_ view: NodeView) -> String? {
    switch view.entry {
    case .initialise: nil
    case .member: view.survey.ca.map(short)
    case .join(let point):
      switch point.identity {
      case .known(let hash): short(hash)
      case .learned: "known after apply"
      }
    }
  }

  private func content(_ view: NodeView) -> TemplateText {
    let secret = node.cluster.token
    switch view.entry.joinPoint?.identity {
    case .learned: return "K10\(learned: JoinPoint.Identity.name)::server:\(secret: secret)\n"
    case .known(let hash): return "K10\(hash)::server:\(secret: secret)\n"
    case nil:
      guard let ca = view.survey.ca else { return "\(secret: secret)\n" }
      return "K10\(ca)::server:\(secret: secret)\n"
    }
  }

  private func work(_ fields: [FieldChange], _ isNew: Bool, _ view: NodeView) -> Work {
    var after = waits(view).after
    if let point = view.entry.joinPoint, point.identity == .learned {
      after.append(ClusterSurvey.service(point.server))
    }
    let write = FileWrite(path: K3sPaths.token, content: content(view), mode: "0600")
    let title = "write the token on \(node.host)"
    let isTidy = fields.allSatisfy { $0.name == "mode" }
    return Work(
      isNew ? .create : .update, fields: fields,
      reason: isNew ? "there is no token file" : "the token file differs", after: after,
      behind: waits(view).behind,
      steps: [
        isTidy
          ? step(tidyStep, title, [keepToRoot(K3sPaths.token)])
          : step("write", title, [.write(write)])
      ])
  }
}

// MARK: - A cluster with another token

extension K3sToken {
  private func holderOfAnotherToken(
    than password: String?, _ survey: ClusterSurvey
  ) -> K3sCluster.Member? {
    survey.holders.first { holder in
      guard let living = survey.states[holder.host]?.tokenPassword, let password else {
        return false
      }
      return living != password
    }
  }

  private func anotherToken(_ holder: K3sCluster.Member) -> Diagnostic {
    Diagnostic(
      "\(node.cluster.name) lives with another token than the secret \"\(node.cluster.token.rawValue)\"",
      reason:
        "\(holder.host) holds it; the token also encrypts the cluster's own keys, so a new one in a file locks servers out",
      remedy:
        "give the secret the value in \(K3sPaths.serverToken) after \"::server:\", or change it with k3s token rotate",
      at: .host(holder.host, address: holder.address))
  }
}

extension String {
  /// The text without a newline at its end.
  fileprivate var trimmingNewline: String { hasSuffix("\n") ? String(dropLast()) : self }
}
