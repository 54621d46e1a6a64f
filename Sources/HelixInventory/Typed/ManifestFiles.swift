internal import HelixModel

/// Reads files of Kubernetes objects: which there are, and whether each says what it is.
struct ManifestFiles {
  private static let endings = [".yaml", ".yml", ".json"]
  /// Deeper folders than anybody makes on purpose; a link may lead back up.
  private static let deepest = 16

  private let reader: any SourceReader
  private(set) var problems: [Diagnostic] = []

  init(reader: any SourceReader) {
    self.reader = reader
  }

  /// What a folder without manifests comes to, and what to do about it.
  typealias Emptiness = (reason: String, remedy: String)

  /// The objects in some files and folders, in the order of the files.
  mutating func read(
    _ paths: [Located<String>],
    nothing: Emptiness = (
      "with nothing there, all that was applied earlier would be deleted",
      "write *.yaml, *.yml or *.json files, or take the folder out of files"
    )
  ) -> [ManifestObject] {
    var seen: Set<String> = []
    var bodies: [Node] = []
    for path in paths {
      for file in files(below: path, nothing) where seen.insert(file).inserted {
        bodies += documents(of: file, at: path.location)
      }
    }
    var objects = bodies.compactMap { object($0) }
    settleNamespaces(&objects)
    refuseDoubles(objects)
    return objects
  }
}

// MARK: - Files

extension ManifestFiles {
  private mutating func files(
    below path: Located<String>, _ nothing: Emptiness
  ) -> [String] {
    var name = path.value
    while name.count > 1, name.hasSuffix("/") { name.removeLast() }
    guard reader.names(in: name) != nil else { return [name] }
    let found = files(in: name, depth: 0)
    if found.isEmpty {
      refuse(
        "there is no manifest below \(name)", nothing.reason, nothing.remedy, path.location)
    }
    return found
  }

  private func files(in folder: String, depth: Int) -> [String] {
    guard depth < Self.deepest else { return [] }
    let names = (reader.names(in: folder) ?? []).filter { !$0.hasPrefix(".") }
    return names.flatMap { name -> [String] in
      let path = folder == "." ? name : "\(folder)/\(name)"
      if reader.names(in: path) != nil { return files(in: path, depth: depth + 1) }
      return Self.endings.contains(where: name.hasSuffix) ? [path] : []
    }
  }

  private mutating func documents(of file: String, at place: SourceLocation) -> [Node] {
    do {
      guard let text = try reader.text(of: file) else {
        refuse(
          "there is no file or folder \(file)",
          "paths are read from the folder above the inventory",
          "correct the path, or write the file", place)
        return []
      }
      if isKustomization(file) {
        refuse(
          "\(file) is read by kustomize, which is not run here", nil,
          "give the output of kustomize build, in a file of its own",
          SourceLocation(file: file, line: 1, column: 1))
        return []
      }
      return try YAMLReader.read(text, file: file).filter { $0.value != .null }.flatMap(items)
    } catch let error as Diagnostics {
      problems += error.all
    } catch let error as Diagnostic {
      problems.append(error)
    } catch {
      problems.append(Diagnostic("\(error)", at: place))
    }
    return []
  }

  private func isKustomization(_ file: String) -> Bool {
    let name = file.split(separator: "/").last ?? ""
    return ["kustomization.yaml", "kustomization.yml"].contains(name)
  }

  /// The elements of a list of objects; any other document by itself.
  private func items(of document: Node) -> [Node] {
    guard let mapping = document.mapping, mapping["kind"]?.text?.hasSuffix("List") == true,
      mapping["apiVersion"] != nil, let items = mapping["items"]?.list
    else { return [document] }
    return items
  }
}

// MARK: - Objects

extension ManifestFiles {
  private mutating func object(_ document: Node) -> ManifestObject? {
    guard let top = Fields(document) else {
      refuse(
        "this is no Kubernetes object", "it is \(document.value.typeName)",
        "write apiVersion, kind and metadata", document.location)
      return nil
    }
    let version = word("apiVersion", of: top, "v1", at: document.location)
    let kind = word("kind", of: top, "ConfigMap", at: document.location)
    guard let version, let kind, isOpen(top, kind), let name = name(of: top) else { return nil }
    checkMetadata(top.fields("metadata"))
    return ManifestObject(
      apiVersion: version.value, kind: kind.value,
      namespace: top.fields("metadata")?.text("namespace")?.value, name: name.value,
      body: top.mapping, location: name.location)
  }

  private mutating func word(
    _ key: String, of fields: Fields, _ example: String, at place: SourceLocation
  ) -> Located<String>? {
    if let node = fields.mapping[key], let text = node.text, !text.isEmpty {
      return Located(text, at: node.location)
    }
    refuse(
      "a Kubernetes object needs \(key)", nil, "write \(key), for example \(key): \(example)",
      fields.mapping[key]?.location ?? place)
    return nil
  }

  private mutating func name(of top: Fields) -> Located<String>? {
    guard let metadata = top.fields("metadata") else {
      refuse(
        "a Kubernetes object needs a name", "there is no metadata",
        "write metadata: { name: … }", top.mapping["metadata"]?.location ?? top.location)
      return nil
    }
    if let node = metadata.mapping["name"], let name = node.text, !name.isEmpty {
      return Located(name, at: node.location)
    }
    if let generated = metadata.mapping.entry("generateName") {
      refuse(
        "an object whose name is generated cannot be applied",
        "every apply would make another one", "write name", generated.keyLocation)
    } else {
      refuse(
        "a Kubernetes object needs a name",
        metadata.mapping["name"].map { "this is \($0.value.typeName)" }, "write metadata.name",
        metadata.mapping["name"]?.location ?? metadata.location)
    }
    return nil
  }

  /// What a Secret holds must neither stand in plans nor in anybody's clone.
  private mutating func isOpen(_ top: Fields, _ kind: Located<String>) -> Bool {
    let isEncrypted = top.fields("sops")?.text("mac") != nil
    if kind.value == "Secret" {
      refuse(
        "a Secret cannot stand among the manifests",
        isEncrypted
          ? "its values are only known to SOPS" : "its values would stand in plans and logs",
        (isEncrypted ? "" : "encrypt it (helix-infra secrets encrypt) and ")
          + "name its file under secrets.bootstrap.secrets in cluster.yaml", kind.location)
      return false
    }
    if isEncrypted {
      refuse(
        "this object is encrypted", "only Secrets are decrypted, where they are written",
        "put what is secret into a Secret", kind.location)
    }
    return !isEncrypted
  }

  private mutating func checkMetadata(_ metadata: Fields?) {
    guard let metadata else { return }
    if let namespace = metadata.mapping["namespace"], namespace.text == nil {
      refuse(
        "a namespace must be text, and this is \(namespace.value.typeName)", nil,
        "write its name, or remove the key", namespace.location)
    }
    for part in ["labels", "annotations"] {
      for entry in metadata.open(part).entries {
        if entry.value.text == nil {
          refuse(
            "\"\(entry.key)\" must be text, and this is \(entry.value.value.typeName)",
            "Kubernetes takes only text in \(part)", "write it in quotes", entry.value.location)
        } else if part == "annotations", entry.key.hasPrefix(ManifestSteering.prefix),
          let problem = ManifestSteering.problem(entry)
        {
          problems.append(problem)
        }
      }
    }
  }
}

// MARK: - Together

extension ManifestFiles {
  /// Gives namespaced kinds that name none the one that Kubernetes would take.
  private mutating func settleNamespaces(_ objects: inout [ManifestObject]) {
    let added = Dictionary(
      objects.compactMap(Self.definition), uniquingKeysWith: { first, _ in first })
    for position in objects.indices {
      let object = objects[position]
      let known = KindScope.of(group: object.group, kind: object.kind)
      let scope = known == .unknown ? added["\(object.group)/\(object.kind)"] ?? known : known
      switch scope {
      case .unknown: break
      case .namespaced: objects[position].namespace = object.namespace ?? "default"
      case .cluster:
        guard object.namespace != nil else { break }
        let place = Fields(object.body["metadata"])?.mapping.entry("namespace")?.keyLocation
        refuse(
          "\(object.kind) \(object.name) belongs to no namespace", "there is one in the cluster",
          "remove namespace", place ?? object.location)
      }
    }
  }

  /// The kind that a CustomResourceDefinition brings, and where its objects live.
  private static func definition(_ object: ManifestObject) -> (String, KindScope)? {
    guard let names = object.defined, let scope = Fields(object.body["spec"])?.text("scope") else {
      return nil
    }
    return ("\(names.group)/\(names.kind)", scope.value == "Cluster" ? .cluster : .namespaced)
  }

  private mutating func refuseDoubles(_ objects: [ManifestObject]) {
    var first: [String: SourceLocation] = [:]
    for object in objects {
      let identity = [object.group, object.kind, object.namespace ?? "", object.name]
      if let place = first.updateValue(object.location, forKey: identity.joined(separator: "/")) {
        let namespace = object.namespace.map { "\($0)/" } ?? ""
        refuse(
          "\(object.kind) \(namespace)\(object.name) is declared twice",
          "it stands in \(place) too, and they would undo each other", "keep one of them",
          object.location)
      }
    }
  }

  private mutating func refuse(
    _ summary: String, _ reason: String?, _ remedy: String, _ place: SourceLocation
  ) {
    problems.append(Diagnostic(summary, reason: reason, remedy: remedy, at: place))
  }
}
