internal import HelixModel

/// Reads the typed files of an inventory folder: cluster.yaml, linode.yaml, aws.yaml.
struct TypedDocuments {
  private static let names = ["aws.yaml", "cluster.yaml", "linode.yaml"]

  private let folder: String
  private let reader: any SourceReader
  private(set) var problems: [Diagnostic] = []

  init(folder: String, reader: any SourceReader) {
    self.folder = folder
    self.reader = reader
  }

  /// Adds what the files declare to an inventory that has its hosts already.
  mutating func read(names: [String], into inventory: inout Inventory, judgingHosts: Bool) {
    checkNames(names, warnings: &inventory.warnings)
    if let document = document("cluster.yaml", ClusterDocument.shape) {
      if var checks = ClusterChecks(document, in: inventory) {
        checks.check(judgingHosts: judgingHosts)
        problems += checks.problems
        inventory.warnings += checks.warnings
      }
      var manifests = SecretManifests(reader: reader)
      var objects = ManifestFiles(reader: reader)
      inventory.cluster = ClusterDocument.spec(document, in: inventory) {
        manifests.read($0)
      } objects: {
        objects.read($0)
      }
      if let folder = inventory.cluster?.upgrade?.controller.manifests {
        inventory.cluster?.upgrade?.controller.objects = objects.read(
          [folder],
          nothing: (
            "the controller is what these manifests make",
            "put the release's system-upgrade-controller.yaml there, or leave manifests out"
          ))
      }
      problems += manifests.problems + objects.problems
    }
    if let document = document("linode.yaml", LinodeDocument.shape) {
      problems += LinodeDocument.problems(document)
      inventory.linode = LinodeDocument.spec(document)
    }
    if let document = document("aws.yaml", AWSDocument.shape) {
      problems += AWSDocument.problems(document)
      inventory.aws = AWSDocument.spec(document)
    }
  }

  /// A file of the right YAML, whatever its shape; differences from the shape are reported here.
  private mutating func document(_ name: String, _ shape: Shape) -> Node? {
    let path = "\(folder)/\(name)"
    do {
      guard let text = try reader.text(of: path) else { return nil }
      guard let document = try YAMLReader.readOne(text, file: path) else {
        problems.append(
          Diagnostic(
            "\(path) is empty", remedy: "write its keys, or remove the file",
            at: SourceLocation(file: path, line: 1, column: 1)))
        return nil
      }
      var check = ShapeCheck()
      check.check(document, is: shape, name: name)
      problems += check.problems
      return document
    } catch let error as Diagnostics {
      problems += error.all
    } catch let error as Diagnostic {
      problems.append(error)
    } catch {
      problems.append(Diagnostic("\(error)"))
    }
    return nil
  }

  /// A file under nearly the right name would be passed over in silence.
  private mutating func checkNames(_ found: [String], warnings: inout [Diagnostic]) {
    let expected = Self.names + AnsibleReader.hostsFiles + ["group_vars", "host_vars"]
    for name in found where !expected.contains(name) && !name.hasPrefix(".") {
      let place = SourceLocation(file: "\(folder)/\(name)", line: 1, column: 1)
      if name.hasSuffix(".yml"), Self.names.contains(name.dropLast(4) + ".yaml") {
        problems.append(
          Diagnostic(
            "\(folder)/\(name) is not read", reason: "the typed files end in .yaml",
            remedy: "rename it to \(name.dropLast(4)).yaml", at: place))
      } else if let nearest = nearestName(to: name, among: expected) {
        warnings.append(
          Diagnostic(
            "\(folder)/\(name) is not read", remedy: "did you mean \"\(nearest)\"?", at: place,
            severity: .warning))
      }
    }
  }
}
