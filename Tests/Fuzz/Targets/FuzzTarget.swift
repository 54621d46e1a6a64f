import Foundation

/// A parser that takes what others wrote, and where to start from.
package struct FuzzTarget: Sendable {
  package let name: String
  /// Words that make a mutation more telling than chance alone.
  package let words: [String]
  /// Reads one input; whatever it refuses it must refuse without a crash.
  package let read: @Sendable ([UInt8]) -> Void

  package init(
    _ name: String, words: [String], read: @escaping @Sendable ([UInt8]) -> Void
  ) {
    (self.name, self.words, self.read) = (name, words, read)
  }

  /// The inputs that mutations start from, in the order of their names.
  package func corpus() throws -> [[UInt8]] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Corpus/\(name)")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    return try names.map { [UInt8](try Data(contentsOf: folder.appendingPathComponent($0))) }
  }
}
