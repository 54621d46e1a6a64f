internal import HelixModel

/// Reads Kubernetes Secrets that SOPS has encrypted: what they are is plain, what they hold stays
/// named.
struct SecretManifests {
  private let reader: any SourceReader
  private(set) var problems: [Diagnostic] = []

  init(reader: any SourceReader) {
    self.reader = reader
  }

  /// The Secrets in some files, in order.
  mutating func read(_ files: [Located<String>]) -> [SecretManifest] {
    var manifests: [SecretManifest] = []
    for file in files {
      do {
        manifests += try read(file)
      } catch {
        problems += error.all
      }
    }
    return manifests
  }

  private mutating func read(_ file: Located<String>) throws(Diagnostics) -> [SecretManifest] {
    let path = file.value
    let text: String?
    do throws(Diagnostic) {
      text = try reader.text(of: path)
    } catch {
      throw Diagnostics(error)
    }
    guard let text else {
      throw Diagnostics(
        Diagnostic(
          "there is no file \(path)", reason: "paths are read from the folder above the inventory",
          remedy: "correct the path, or write the file", at: file.location))
    }
    let documents = try YAMLReader.read(text, file: path).filter { $0.value != .null }
    return documents.enumerated().compactMap { number, document in
      let place = documents.count > 1 ? "\(path)#\(number + 1)" : path
      return manifest(document, in: place)
    }
  }

  private mutating func manifest(_ document: Node, in place: String) -> SecretManifest? {
    guard let top = Fields(document), top.text("kind")?.value == "Secret",
      top.text("apiVersion")?.value == "v1"
    else {
      refuse(
        "only a Secret of apiVersion v1 can stand here",
        "this is something else, or its kind"
          + " is encrypted", at: document.location)
      return nil
    }
    guard top.fields("sops") != nil else {
      refuse(
        "this Secret is not encrypted", "whoever reads the repository reads its values",
        remedy: "helix-infra secrets encrypt -i \(document.location.file)", at: document.location)
      return nil
    }
    guard let meta = top.fields("metadata"), let name = meta.text("name"),
      !isEncrypted(name.value)
    else {
      refuse(
        "a Secret needs a name that can be read", "metadata.name is missing or encrypted",
        remedy: "encrypt only the values: encrypted_regex: ^(data|stringData)$ in .sops.yaml",
        at: document.location)
      return nil
    }
    var manifest = SecretManifest(
      namespace: meta.text("namespace")?.value ?? "default", name: name.value,
      type: top.text("type")?.value ?? "Opaque", labels: texts(meta.fields("labels")),
      annotations: texts(meta.fields("annotations")), data: [], location: name.location)
    manifest.data = entries(of: top, in: place)
    return manifest
  }

  private func texts(_ fields: Fields?) -> [String: String] {
    let entries = fields?.mapping.entries ?? []
    return Dictionary(
      entries.map { ($0.key, $0.value.scalarText ?? "") }, uniquingKeysWith: { $1 })
  }

  /// What Kubernetes makes of `data` and `stringData`: the second outweighs the first.
  private mutating func entries(of top: Fields, in place: String) -> [SecretManifest.Entry] {
    var values: [String: TemplateText] = [:]
    for field in ["data", "stringData"] {
      for entry in top.fields(field)?.mapping.entries ?? [] {
        guard let text = entry.value.scalarText else {
          refuse("a Secret's value must be text", nil, at: entry.value.location)
          continue
        }
        guard text.isEmpty || isEncrypted(text) else {
          refuse(
            "a value of this Secret is not encrypted",
            "\(entry.key) stands in plain text, or was added after the file was encrypted",
            remedy: "put it there with helix-infra secrets edit", at: entry.value.location)
          continue
        }
        let name = SecretName(place: place, [field, entry.key])
        values[entry.key] =
          text.isEmpty ? "" : "\(secret: field == "data" ? name.coded(.decodedFromBase64) : name)"
      }
    }
    return values.map { SecretManifest.Entry(key: $0.key, value: $0.value) }
      .sorted { $0.key < $1.key }
  }

  private func isEncrypted(_ text: String) -> Bool { text.hasPrefix("ENC[AES256_GCM,") }

  private mutating func refuse(
    _ summary: String, _ reason: String?, remedy: String? = nil, at location: SourceLocation
  ) {
    problems.append(Diagnostic(summary, reason: reason, remedy: remedy, at: location))
  }
}
