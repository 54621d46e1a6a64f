import HelixModel
import Testing

@testable import HelixInventory

@Suite("Manifest files")
struct ManifestFilesTests {
  private func manifests() throws -> ManifestsSpec {
    let folder = try #require(FixtureFolder.all("good").first { $0.name == "manifests" })
    let inventory = try InventoryReader.read(folder: "inventory", reader: folder.reader)
    return try #require(inventory.cluster?.manifests)
  }

  @Test("objects come in the order of the files, each in the namespace that Kubernetes would take")
  func order() throws {
    let manifests = try manifests()
    let told = manifests.objects.map { "\($0.kind) \($0.namespace ?? "-") \($0.name)" }
    #expect(
      told == [
        "CustomResourceDefinition - tills.example.org",
        "CustomResourceDefinition - shops.example.org", "ConfigMap default web",
        "Namespace - shop", "Till default front", "Shop - big", "Any - any", "Deployment shop web",
      ])
    #expect(!manifests.prune)
  }

  @Test("the controller's folder is read like any other, beside the files of manifests")
  func controller() throws {
    let folder = try #require(
      FixtureFolder.all("good").first { $0.name == "upgrade-controller" })
    let inventory = try InventoryReader.read(folder: "inventory", reader: folder.reader)
    let controller = try #require(inventory.cluster?.upgrade?.controller)
    #expect(controller.objects?.map(\.kind) == ["Namespace", "Deployment"])
    #expect(
      controller.objects?.last?.location.description == "inventory/controller/a.yaml:7:19")
    #expect(inventory.cluster?.manifests == nil)
  }

  @Test("text stays as it is written, and every object knows its place")
  func text() throws {
    let web = try #require(try manifests().objects.first { $0.name == "web" })
    #expect(web.body["data"]?.mapping?["text"]?.text == "{{ not.a.template }}")
    #expect(web.body["data"]?.mapping?["mode"]?.text == "0644")
    #expect(web.location.description == "inventory/manifests/20-web.yaml:5:19")
  }
}
