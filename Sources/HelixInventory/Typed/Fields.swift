internal import HelixModel

/// Takes values out of a mapping that `ShapeCheck` has looked at; what it refused is simply absent.
struct Fields {
  let mapping: Mapping
  let location: SourceLocation

  init?(_ node: Node?) {
    guard let node, let mapping = node.mapping else { return nil }
    self.mapping = mapping
    location = node.location
  }

  func text(_ key: String) -> Located<String>? {
    guard let node = mapping[key], let text = node.scalarText, node.value != .null,
      !text.isEmpty
    else { return nil }
    return Located(text, at: node.location)
  }

  func integer(_ key: String) -> Int? {
    guard case .integer(let number) = mapping[key]?.value else { return nil }
    return number
  }

  func bool(_ key: String) -> Bool? {
    guard case .bool(let truth) = mapping[key]?.value else { return nil }
    return truth
  }

  func seconds(_ key: String) -> Int? { mapping[key].flatMap(DurationText.seconds) }

  func secret(_ key: String) -> Located<SecretName>? {
    guard let name = Fields(mapping[key])?.text("secret"), SecretForm.isName(name.value) else {
      return nil
    }
    return Located(SecretName(name.value), at: name.location)
  }

  /// The texts of a list, or the one text that stands in its stead.
  func texts(_ key: String) -> [Located<String>] {
    let node = mapping[key]
    return (node?.list ?? node.map { [$0] } ?? []).compactMap { element in
      element.scalarText.map { Located($0, at: element.location) }
    }
  }

  func fields(_ key: String) -> Fields? { Fields(mapping[key]) }

  func open(_ key: String) -> Mapping { mapping[key]?.mapping ?? Mapping() }
}
