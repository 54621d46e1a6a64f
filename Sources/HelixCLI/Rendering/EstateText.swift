import HelixModel

/// What the inventory declares beyond hosts, in lines for people.
enum EstateText {
  /// Linode pools and AWS targets, one line each; empty when there are none.
  static func cloud(_ inventory: Inventory) -> String {
    declarations(of: inventory).map { "\($0)\n" }.joined()
  }

  /// One line for each pool and target.
  static func declarations(of inventory: Inventory) -> [String] {
    let pools = (inventory.linode?.pools ?? []).map { pool in
      "linode/pool:\(pool.name.value)  \(pool.minimum) to \(pool.maximum) of \(pool.type.value) "
        + "in \(pool.region.value)"
    }
    let targets = (inventory.aws?.targets ?? []).map { target in
      "aws/target:\(target.name.value)  \(count(target.servers, "server")) and "
        + "\(count(target.agents, "agent")) "
        + "of \(target.instanceType.value) in \(target.region.value)"
    }
    return pools + targets
  }

  private static func count(_ number: Int, _ word: String) -> String {
    "\(number) \(word)\(number == 1 ? "" : "s")"
  }
}
