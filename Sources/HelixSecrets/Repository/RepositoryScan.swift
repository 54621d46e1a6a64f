internal import Dispatch
internal import Foundation
import HelixModel
package import HelixSOPS
private import Synchronization

/// What one look at a repository found in each of its files.
package struct RepositoryScan: Sendable {
  /// A file that has to do with secrets.
  package struct File: Sendable {
    package var path: String
    /// The file's rule, and why it is that one; nil without a config.
    package var decision: RuleDecision?
    package var content: Content
  }

  /// What a file is.
  package enum Content: Sendable {
    case sealed(SealedDocument)
    /// It says that it is encrypted, and cannot be read.
    case broken(SOPSProblem)
    /// Values that its rule would encrypt stand in plain text at these places.
    case plain([SOPSPlace])
    /// A line of it is an age identity.
    case identity(line: Int)
  }

  package let files: [File]
  /// How many files were looked at.
  package let count: Int

  /// Looks at files, on all cores.
  ///
  /// - Parameters:
  ///   - paths: Which, as they are to be told.
  ///   - config: The rules.
  ///   - folder: The working folder.
  ///   - isRepository: Whether git would take the files, so that an identity among them is told.
  package init(
    of paths: [String], config: SOPSConfig?, workingFolder folder: String, isRepository: Bool
  ) {
    count = paths.count
    let looks = Mutex<[Int: File]>([:])
    let scanner = Scanner(config: config, workingFolder: folder, seeksIdentities: isRepository)
    DispatchQueue.concurrentPerform(iterations: paths.count) { number in
      guard let file = scanner.look(at: paths[number]) else { return }
      looks.withLock { $0[number] = file }
    }
    files = looks.withLock { $0.sorted { $0.key < $1.key }.map(\.value) }
  }

  /// The encrypted files.
  package var sealed: [(file: File, document: SealedDocument)] {
    files.compactMap { file in
      if case .sealed(let document) = file.content { (file, document) } else { nil }
    }
  }
}

/// Looks at one file at a time.
private struct Scanner: Sendable {
  let config: SOPSConfig?
  let workingFolder: String
  let seeksIdentities: Bool

  /// Larger files hold no secrets that anybody edits.
  private static let largest = 16 * 1024 * 1024
  /// Files that explain and hold nothing, which a pattern for a whole folder takes along.
  private static let plainNames: Set = [".gitignore", ".gitkeep", ".gitattributes", ".sops.yaml"]

  func look(at path: String) -> RepositoryScan.File? {
    guard let bytes = contents(of: path) else { return nil }
    let decision = config?.decision(for: path, workingFolder: workingFolder)
    return content(of: bytes, path, decision?.rule).map {
      RepositoryScan.File(path: path, decision: decision, content: $0)
    }
  }

  private func contents(of path: String) -> [UInt8]? {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_size <= Self.largest
    else { return nil }
    return try? GuardedFile(reading: path).bytes
  }

  private func content(
    of bytes: [UInt8], _ path: String, _ rule: CreationRule?
  ) -> RepositoryScan.Content? {
    if seeksIdentities, let line = lineOfIdentity(in: bytes) { return .identity(line: line) }
    let format = SOPSFormat(path: path)
    if holds(bytes, "sops"), holds(bytes, "ENC[AES256_GCM,") {
      do throws(SOPSProblem) {
        return .sealed(try SealedDocument(bytes, format: format, file: path))
      } catch {
        guard case .notEncrypted = error else { return .broken(error) }
      }
    }
    guard let rule, rule.pathPattern != nil || path.contains(".sops."),
      !isExplanation(path)
    else { return nil }
    let text = try? SOPSText.parse(bytes, format: format, file: path)
    let places = text?.placesToEncrypt(by: rule.selectionRule) ?? []
    return places.isEmpty ? nil : .plain(places)
  }

  private func isExplanation(_ path: String) -> Bool {
    let name = (path as NSString).lastPathComponent
    return Self.plainNames.contains(name) || name.hasSuffix(".md")
  }

  private func holds(_ bytes: [UInt8], _ text: String) -> Bool {
    let wanted = Array(text.utf8)
    return bytes.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while rest.count >= wanted.count,
        let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress
      {
        guard let found = memchr(base, Int32(wanted[0]), rest.count - wanted.count + 1) else {
          return false
        }
        if memcmp(found, wanted, wanted.count) == 0 { return true }
        rest = rest.dropFirst(base.distance(to: UnsafeRawPointer(found)) + 1)
      }
      return false
    }
  }

  private func lineOfIdentity(in bytes: [UInt8]) -> Int? {
    guard holds(bytes, "AGE-SECRET-KEY-") else { return nil }
    let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    return lines.firstIndex { $0.starts(with: "AGE-SECRET-KEY-".utf8) }.map { $0 + 1 }
  }
}
