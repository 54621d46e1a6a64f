import Foundation
import HelixModel
import Testing

@testable import HelixInventory

@Suite("Inventory folders")
struct InventoryFixtureTests {
  @Test(
    "a broken inventory is refused with its exact diagnostics",
    arguments: FixtureFolder.all("broken"))
  func broken(folder: FixtureFolder) throws {
    do {
      _ = try InventoryReader.read(folder: "inventory", reader: folder.reader)
      Issue.record("nothing was refused")
    } catch {
      try folder.expect(error.all.plainText, in: "expected.txt")
    }
  }

  @Test("an odd inventory is read, with its exact warnings", arguments: FixtureFolder.all("odd"))
  func odd(folder: FixtureFolder) throws {
    let inventory = try InventoryReader.read(folder: "inventory", reader: folder.reader)
    #expect(!inventory.warnings.isEmpty)
    try folder.expect(inventory.warnings.plainText, in: "expected.txt")
  }

  @Test(
    "a good inventory has nothing odd", arguments: FixtureFolder.all("good") + [FixtureFolder.own])
  func good(folder: FixtureFolder) throws {
    let inventory = try InventoryReader.read(folder: "inventory", reader: folder.reader)
    #expect(inventory.warnings.plainText == "")
    #expect(!inventory.hosts.isEmpty)
  }

  @Test("at least forty-five broken inventories are kept, each for one mistake or more")
  func enough() {
    #expect(FixtureFolder.all("broken").count >= 45)
  }
}
