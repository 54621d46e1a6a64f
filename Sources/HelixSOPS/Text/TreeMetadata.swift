/// The `sops` block of YAML or JSON as a value.
struct TreeMetadata {
  let body: TreeBody

  /// The value of a node; the tree is no deeper than its reader allows.
  func value(_ node: Int) throws(TextFault) -> MetadataValue {
    let place = body.tree.nodes[node]
    switch place.kind {
    case .scalar: return scalar(node)
    case .alias: throw TextFault("an alias stands in the sops block", at: place.start)
    case .list:
      var items: [MetadataValue] = []
      var index = node + 1
      while index < place.next {
        items.append(try value(index))
        index = body.tree.nodes[index].next
      }
      return .list(items)
    case .map:
      var fields: [MetadataValue.Field] = []
      var index = node + 1
      while index < place.next {
        let child = body.tree.nodes[index].next
        fields.append(MetadataValue.Field(name(index), try value(child)))
        index = body.tree.nodes[child].next
      }
      return .fields(fields)
    }
  }

  /// The text of a key in the block.
  func name(_ key: Int) -> String {
    String(decoding: text(key), as: UTF8.self)
  }

  private func text(_ node: Int) -> [UInt8] {
    body.values.scalar.value(of: body.tree.nodes[node], extras: body.tree.extras[node])
  }

  /// What SOPS gives no type of its own in its block stays text as it is written.
  private func scalar(_ node: Int) -> MetadataValue {
    switch body.values.value(of: node) {
    case .integer(let number): Int(exactly: number).map { .integer($0) } ?? .text("\(number)")
    case .boolean(let flag): .boolean(flag)
    case .null: .null
    default: .text(String(decoding: text(node), as: UTF8.self))
    }
  }
}
