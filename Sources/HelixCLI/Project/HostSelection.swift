import HelixInventory
import HelixModel

/// An inventory, and which of its hosts a command is about.
struct HostSelection {
  let inventory: Inventory
  /// In Ansible's order, never none.
  let names: [HostName]

  /// Reads an inventory and finds the hosts that a pattern names.
  ///
  /// - Throws: every mistake in the inventory, or what is wrong with the pattern.
  static func read(
    _ pattern: String, in options: InventoryOptions
  ) throws(Diagnostics) -> HostSelection {
    let inventory = try Project.inventory(
      of: PlanRequest(inventory: options.folder, playbooks: []))
    try Project.checkConnections(of: inventory)
    do {
      // The pattern stands in no file; the words alone say what is meant.
      let place = SourceLocation(file: "", line: 1, column: 1)
      let names = try HostPattern(Located(pattern, at: place)).select(from: inventory)
      guard names.isEmpty else { return HostSelection(inventory: inventory, names: names) }
    } catch {
      var placeless = error
      placeless.place = nil
      throw Diagnostics(placeless)
    }
    throw Diagnostics(
      Diagnostic(
        "\"\(pattern)\" leaves no host",
        remedy: "see which hosts there are: helix-infra inventory --graph"))
  }
}
