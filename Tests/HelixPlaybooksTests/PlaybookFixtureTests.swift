import Foundation
import HelixInventory
import HelixModel
import HelixPlaybooks
import Testing

@Suite("playbooks")
struct PlaybookFixtureTests {
  private let reader = FolderReader(root: fixtures)

  @Test("a good playbook demands this", arguments: try cases(in: "good"))
  func good(name: String) throws {
    try expectRecorded(dump(try read("good/\(name)")), "good/\(name)/expected.txt")
  }

  @Test("every mistake is named at its place", arguments: try cases(in: "broken"))
  func broken(name: String) throws {
    let error = try #require(throws: Diagnostics.self) { try read("broken/\(name)") }
    try expectRecorded(shown(error.all), "broken/\(name)/expected.txt")
  }

  @Test("reading twice gives the same bytes")
  func repeatable() throws {
    for name in try cases(in: "good") {
      #expect(dump(try read("good/\(name)")) == dump(try read("good/\(name)")))
    }
  }

  private func read(_ folder: String) throws -> [PlayDemand] {
    let inventory = try InventoryReader.read(folder: "estate", reader: reader)
    let reading = PlaybookReader(
      inventory: inventory, catalogue: .sample, sources: reader, options: try options(folder))
    return try reading.read(["\(folder)/site.yaml"])
  }

  /// What a case's options.yaml adds on the command line.
  private func options(_ folder: String) throws -> PlaybookOptions {
    let path = "\(folder)/options.yaml"
    guard let text = try reader.text(of: path) else { return PlaybookOptions() }
    let mapping = try YAMLReader.readOne(text, file: path)?.mapping ?? Mapping()
    return PlaybookOptions(
      limit: mapping["limit"].flatMap { node in node.text.map { Located($0, at: node.location) } },
      tags: mapping["tags"]?.list?.compactMap(\.text) ?? [],
      skipTags: mapping["skip-tags"]?.list?.compactMap(\.text) ?? [],
      extraVariables: mapping["extra"]?.mapping ?? Mapping())
  }
}
