internal import Foundation
package import HelixModel
package import HelixSOPS
private import Synchronization

/// Values of files that SOPS has encrypted; each file is opened once.
package final class SOPSVault: Sendable {
  /// A value in a file.
  package struct Place: Hashable, Sendable {
    package var file: String
    package var document: Int
    package var steps: [PathStep]

    package init(file: String, document: Int, steps: [PathStep]) {
      self.file = file
      self.document = document
      self.steps = steps
    }

    /// The place that a secret's name tells, as `SecretName(place:_:)` writes it.
    package init?(_ name: SecretName) {
      guard let mark = name.rawValue.range(of: "[\""), mark.lowerBound > name.rawValue.startIndex,
        let steps = [PathStep](sopsPath: String(name.rawValue[mark.lowerBound...]))
      else { return nil }
      var file = name.rawValue[..<mark.lowerBound]
      var document = 0
      if let hash = file.lastIndex(of: "#"), let number = Int(file[file.index(after: hash)...]),
        number > 0
      {
        document = number - 1
        file = file[..<hash]
      }
      self.init(file: String(file), document: document, steps: steps)
    }
  }

  private typealias Values = [PlaceInFile: SecretValue]

  private struct PlaceInFile: Hashable {
    var document: Int
    var steps: [PathStep]
  }

  private let opener: FileOpener
  private let files = Mutex<[String: Result<Values, Diagnostic>]>([:])

  package init(_ opener: FileOpener) {
    self.opener = opener
  }

  /// - Throws: a `Diagnostic` when the file cannot be opened or has no such value.
  package func value(at place: Place) throws(Diagnostic) -> SecretValue {
    if let value = try valueIfPresent(at: place) { return value }
    throw Diagnostic(
      "\(place.file) has no value at \(place.steps.sopsPath)",
      remedy: "see what it has: helix-infra secrets decrypt \(shellQuoted(place.file))")
  }

  /// - Throws: a `Diagnostic` when the file cannot be opened: nobody then knows whether it has one.
  package func valueIfPresent(at place: Place) throws(Diagnostic) -> SecretValue? {
    let values = try files.withLock { (files) throws(Diagnostic) in
      if let known = files[place.file] { return try known.get() }
      let opened: Result<Values, Diagnostic>
      do throws(Diagnostic) {
        opened = .success(try allValues(in: place.file))
      } catch {
        opened = .failure(error)
      }
      files[place.file] = opened
      return try opened.get()
    }
    return values[PlaceInFile(document: place.document, steps: place.steps)]
  }

  private func allValues(in file: String) throws(Diagnostic) -> Values {
    let document = try opener.open(file)
    var values: Values = [:]
    for (place, value) in document.values {
      guard let bytes = value.written else { continue }
      values[PlaceInFile(document: place.document, steps: place.steps)] = SecretValue(bytes)
    }
    return values
  }
}

/// Opens files that SOPS has encrypted with the keys of this machine.
package struct FileOpener: Sendable {
  package let keyring: Keyring
  /// Where keys were looked for, told when none of them opens a file.
  private let findings: [IdentityFinding]

  package init(keyring: Keyring, findings: [IdentityFinding]) {
    self.keyring = keyring
    self.findings = findings
  }

  /// - Throws: a `Diagnostic` when the file cannot be read or opened.
  package func open(_ path: String) throws(Diagnostic) -> SOPSDocument {
    let file = try GuardedFile(reading: path)
    do throws(SOPSProblem) {
      return try open(file)
    } catch {
      throw diagnostics(for: error).first ?? Diagnostic("\(path) cannot be opened")
    }
  }

  /// - Throws: a `SOPSProblem`.
  package func open(
    _ file: GuardedFile, format: SOPSFormat? = nil
  ) throws(SOPSProblem) -> SOPSDocument {
    let sealed = try SealedDocument(
      file.bytes, format: format ?? SOPSFormat(path: file.path), file: file.path)
    return try SOPSDocument.open(sealed, with: keyring)
  }

  /// A problem in words; when keys are missing, with the places where keys were looked for.
  package func diagnostics(for problem: SOPSProblem) -> [Diagnostic] {
    var diagnostics = problem.diagnostics
    guard case .noDataKey = problem, !diagnostics.isEmpty else { return diagnostics }
    let places = findings.map { finding in
      finding.problem.map { "\(finding.source): \($0.summary)" }
        ?? "\(finding.source): \(finding.recipients.joined(separator: ", "))"
    }
    let told = places.isEmpty ? "no identity was found on this machine" : "looked in "
    diagnostics[0].reason = [diagnostics[0].reason, told + places.joined(separator: "; ")]
      .compactMap { $0 }.joined(separator: "; ")
    return diagnostics
  }
}

extension SOPSValue {
  /// The value as programs get it; nil for nothing and for comments.
  fileprivate var written: [UInt8]? {
    switch self {
    case .text(let bytes): bytes
    case .integer(let number): Array(String(number).utf8)
    case .boolean(let truth): Array((truth ? "true" : "false").utf8)
    case .time(let text): Array(text.utf8)
    case .number: canonicalBytes
    case .null, .comment: nil
    }
  }
}
