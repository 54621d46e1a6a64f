internal import Dispatch
internal import Foundation
internal import HelixAge
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
    let staged = isRepository ? GitView(in: ".").stagedContents() : []
    files =
      looks.withLock { $0.sorted { $0.key < $1.key }.map(\.value) }
      + staged.compactMap { scanner.look(at: $0.bytes, of: $0.path) }
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
    contents(of: path).flatMap { look(at: $0, of: path) }
  }

  func look(at bytes: [UInt8], of path: String) -> RepositoryScan.File? {
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
    do throws(Diagnostic) {
      let places = try SOPSText.parse(bytes, format: format, file: path)
        .placesToEncrypt(by: rule.selectionRule)
      return places.isEmpty ? nil : .plain(places)
    } catch {
      // Nobody can tell then whether it holds what its rule says is secret.
      return .broken(.text(error))
    }
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
    let lines = String(decoding: bytes, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false)
    return lines.firstIndex(where: holdsIdentity).map { $0 + 1 }
  }

  /// Whether an identity stands anywhere in a line; its checksum tells it from a word about one.
  private func holdsIdentity(_ line: Substring) -> Bool {
    line.ranges(of: "AGE-SECRET-KEY-").contains { range in
      let letters = line[range.lowerBound...].prefix {
        $0.isASCII && ($0.isUppercase || $0.isNumber || $0 == "-")
      }
      return (try? AgeKeys().identity(String(letters))) != nil
    }
  }
}
