import Foundation
import HelixModel
import Testing

/// A folder of files under Fixtures/, named for the mistake or the feature that it shows.
struct FixtureFolder: Sendable, CustomTestStringConvertible {
  let name: String
  let url: URL

  var testDescription: String { name }

  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures")

  /// The repository's example estate.
  static let own = FixtureFolder(
    name: "the repository's own",
    url: root.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("inventory"))

  /// All folders of a collection, sorted.
  static func all(_ collection: String) -> [FixtureFolder] {
    let folder = root.appendingPathComponent(collection)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().filter { !$0.hasPrefix(".") }
      .map { FixtureFolder(name: $0, url: folder.appendingPathComponent($0)) }
  }

  /// Its files, seen as `inventory/…`.
  var reader: FolderReader { FolderReader(mounted: "inventory", on: url) }

  /// Compares text with a file of the folder; `HELIX_RECORD=1` rewrites the file and fails.
  func expect(
    _ text: String, in file: String, sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) throws {
    let path = url.appendingPathComponent(file)
    if ProcessInfo.processInfo.environment["HELIX_RECORD"] == "1" {
      try Data(text.utf8).write(to: path)
      Issue.record("recorded \(name)/\(file)", sourceLocation: sourceLocation)
      return
    }
    let expected = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
    #expect(text == expected, sourceLocation: sourceLocation)
  }
}

/// Reads real files under a name of the test's choosing.
struct FolderReader: SourceReader {
  private let mount: String
  private let url: URL

  init(mounted mount: String, on url: URL) {
    self.mount = mount
    self.url = url
  }

  private func place(of path: String) -> String? {
    guard path == mount || path.hasPrefix(mount + "/") else { return nil }
    return url.path + path.dropFirst(mount.count)
  }

  func text(of path: String) throws(Diagnostic) -> String? {
    guard let place = place(of: path), let data = FileManager.default.contents(atPath: place) else {
      return nil
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw Diagnostic("\(path) is not UTF-8 text")
    }
    return text
  }

  func names(in folder: String) -> [String]? {
    guard let place = place(of: folder) else { return nil }
    let names = try? FileManager.default.contentsOfDirectory(atPath: place)
    // What a fixture expects is no part of its inventory.
    return names?.filter { $0 != "expected.txt" && $0 != "README.md" }.sorted()
  }
}

extension Diagnostic {
  /// The plain form that fixtures hold.
  var plainText: String {
    var lines = ["\(location?.description ?? "?"): \(severity.rawValue): \(summary)"]
    if let reason { lines.append("why: \(reason)") }
    if let remedy { lines.append("fix: \(remedy)") }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension [Diagnostic] {
  var plainText: String { map(\.plainText).joined(separator: "\n") }
}
