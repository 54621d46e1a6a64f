/// Text with its secrets and learned parts in place, for the moment in which it is written.
package struct FilledText: Sendable {
  package var value: SecretValue
  /// A part that nobody has found out yet, and that is left out.
  package var missing: LearnedName?
}

extension SecretStore {
  /// Fills a text in; every secret is looked up even when a learned part is missing, so that an
  /// unknown name is told in the plan and not later.
  ///
  /// - Throws: a `Diagnostic` when a secret is unknown, or not one that its coding can be applied to.
  package func fill(
    _ text: TemplateText, learned: [LearnedName: String] = [:]
  ) throws(Diagnostic) -> FilledText {
    var bytes: [UInt8] = []
    var missing: LearnedName?
    for part in text.parts {
      switch part {
      case .literal(let literal): bytes += Array(literal.utf8)
      case .secret(let name): bytes += try self.bytes(of: name)
      case .learned(let name):
        if let value = learned[name] {
          bytes += Array(value.utf8)
        } else {
          missing = missing ?? name
        }
      case .coded(let inner, let coding):
        let filled = try fill(inner, learned: learned)
        missing = missing ?? filled.missing
        guard let coded = coding.applied(to: filled.value.reveal()) else {
          throw notCodable(inner.shown, coding)
        }
        bytes += coded
      }
    }
    return FilledText(value: SecretValue(bytes), missing: missing)
  }

  private func bytes(of name: SecretName) throws(Diagnostic) -> [UInt8] {
    if let (inner, coding) = name.uncoded {
      guard let coded = coding.applied(to: try bytes(of: inner)) else {
        throw notCodable("‹secret \(inner.rawValue)›", coding)
      }
      return coded
    }
    do {
      return try value(of: name).reveal()
    } catch let problem as Diagnostic {
      throw problem
    } catch {
      // The error is not quoted: nothing says that it keeps the value to itself.
      throw Diagnostic("the secret \"\(name.rawValue)\" cannot be read")
    }
  }

  private func notCodable(_ shown: String, _ coding: SecretName.Coding) -> Diagnostic {
    switch coding {
    case .decodedFromBase64:
      Diagnostic(
        "\(shown) is not base64", reason: "it is to be decoded before it is written",
        remedy: "store it in base64, or leave the decoding away; the data of a Kubernetes Secret"
          + " is base64, its stringData is not")
    case .toldAsTruth:
      Diagnostic(
        "\(shown) is neither true nor false",
        reason: "its file says that it is", remedy: "restore the file from git")
    default:
      Diagnostic(
        "\(shown) is not text", reason: "it is to be written with \(coding.rawValue)",
        remedy: "store it in base64")
    }
  }
}
