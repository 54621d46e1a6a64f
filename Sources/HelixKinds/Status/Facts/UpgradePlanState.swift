/// How far an UpgradePlan is, in a line.
package struct UpgradePlanState: Sendable, Hashable, Encodable {
  package var namespace: String
  package var name: String
  /// The release it goes to, in the form of an image's tag; nil before it is known.
  package var version: String?
  /// The nodes whose upgrade is under way.
  package var applying: [String]
  /// How many nodes it has been through.
  package var done: Int
  /// Why it does not know where to go; nil when it does.
  package var complaint: String?

  /// What nodes carry that it has been through.
  var hash: String?

  private enum CodingKeys: String, CodingKey {
    case namespace, name, version, applying, done, complaint
  }

  static let script = """
    helix_plans=$(helix_get plans.upgrade.cattle.io -A -o jsonpath='\(template)') && {
        printf '%s\\n' "$helix_plans" | grep '^plan' | head -n 100
        echo answered plans
      }
    """

  private static let template =
    #"{range .items[*]}plan{"\t"}{.metadata.namespace}{"\t"}{.metadata.name}{"\t"}"#
    + #"{.spec.version}{"\t"}{.status.latestVersion}{"\t"}{.status.latestHash}{"\t"}"#
    + #"{.status.applying[*]}{"\t"}"#
    + #"{.status.conditions[?(@.type=="LatestResolved")].status}{"\t"}"#
    + #"{.status.conditions[?(@.type=="LatestResolved")].message}{"\n"}{end}"#

  static func read(_ rows: [[Substring]]) -> [UpgradePlanState] {
    rows.compactMap { row in
      guard row.first == "plan", row.count >= 9 else { return nil }
      let version = [row[4], row[3]].first { !$0.isEmpty }.map(String.init)
      let complaint = row[8...].joined(separator: " ")
      return UpgradePlanState(
        namespace: String(row[1]), name: String(row[2]), version: version,
        applying: row[6].split(separator: " ").map(String.init), done: 0,
        complaint: row[7] == "False" ? complaint : nil,
        hash: row[5].isEmpty ? nil : String(row[5]))
    }
  }
}
