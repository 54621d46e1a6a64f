package import HelixModel
package import HelixPlan

/// Debian packages that are there, or are not (`ansible.builtin.apt`).
package struct PackageKind: ModuleKind {
  package static let module = ModuleSpec(
    names: ["ansible.builtin.apt", "apt"],
    parameters: [
      .init("name", .list, required: true, aliases: ["package", "pkg"]),
      .init("state", choices: ["present", "absent"]),
      .init("update_cache", .bool, aliases: ["update-cache"]),
      .init("cache_valid_time", .integer),
      .init("install_recommends", .bool, aliases: ["install-recommends"]),
    ])

  package let address: Address
  package let location: SourceLocation?
  private let host: HostName
  private let packages: [String]
  private let isWanted: Bool
  private let updatesLists: Bool
  private let installsRecommended: Bool?

  package init(_ demand: TaskDemand) throws(Diagnostics) {
    let arguments = Arguments(demand)
    host = demand.host
    var seen: Set<String> = []
    packages = arguments.texts("name")
      .flatMap { name in name.split(separator: ",").map { trimmed($0) } }
      .filter { seen.insert($0).inserted }
    isWanted = arguments.text("state") != "absent"
    updatesLists =
      arguments.bool("update_cache") ?? false || arguments.text("cache_valid_time") != nil
    installsRecommended = arguments.bool("install_recommends")
    address = Address(host: host, kind: "package", name: packages.joined(separator: ","))
    location = demand.location
    let wrong = packages.filter { !isPackageName($0) }
    guard wrong.isEmpty, !packages.isEmpty else {
      throw Diagnostics(
        Diagnostic(
          "\"\(wrong.first ?? "")\" is not a package name",
          reason: "versions, files and URLs are not understood by this version",
          remedy: "write names alone, for example [nfs-common, open-iscsi]",
          at: arguments.location(of: "name")))
    }
  }

  /// Packages of the machine's own architecture that are on the host in some way, and what those
  /// that work stand in for.
  private var fact: Fact<PackagesSeen> {
    let program = #"""
      BEGIN { n = split(ENVIRON["names"], list, " "); for (i = 1; i <= n; i++) asked[list[i]] = 1 }
      $3 != "all" && $3 != ENVIRON["arch"] { next }
      $2 in asked { print "package=" $1 " " $2 " " $4 }
      $1 ~ /^(installed|triggers-)/ {
        for (i = 5; i <= NF; i++) {
          sub(/,$/, "", $i)
          if ($i in asked) print "provided=" $i
        }
      }
      """#
    let names = packages.joined(separator: " ")
    return Fact(
      "package:\(names)",
      command: """
        command -v dpkg-query >/dev/null || exit 3
        names=\(shellQuoted(names)) arch=$(dpkg --print-architecture)
        export names arch
        dpkg-query -W \\
          -f '${db:Status-Status} ${Package} ${Architecture} ${Version} ${Provides}\\n' |
          awk \(shellQuoted(program))
        status=$?
        \(isWanted ? "" : removalQuestion)
        exit "$status"
        """,
      parse: { answer throws(Diagnostic) in try PackagesSeen(answer) }, summary: \.summary)
  }

  /// A name that no package has, such as gcc-1.2, is otherwise a pattern that many have.
  private static let apt = "apt-get -qq -o APT::Cmd::Pattern-Only=true"

  /// What apt would remove along with each package, because it needs it.
  private var removalQuestion: String {
    """
    for name in $names; do \(Self.apt) -s remove "$name" 2>/dev/null; done |
      awk '$1 == "Remv" { print "removes=" $2 }' | sort -u
    """
  }

  package var questions: [Question] { [Question(fact, on: host)] }

  package func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let seen = try sight.read(fact, on: host)
    let amiss = packages.filter { isWanted ? !seen.serves($0) : seen.packages[$0] != nil }
    guard !amiss.isEmpty else {
      return .unchanged(reason: isWanted ? "already installed" : "not installed")
    }
    let bystanders = seen.removed.filter { !packages.contains($0) }
    guard bystanders.isEmpty else {
      return .refused(
        Diagnostic(
          "removing \(amiss.joined(separator: ", ")) would also remove "
            + bystanders.joined(separator: ", "), reason: "they need it",
          remedy: "name them in the task as well, if they may go", at: .resource(address)))
    }
    let fields = amiss.map { name in
      FieldChange(
        name, before: seen.packages[name]?.told, after: isWanted ? "installed" : nil)
    }
    let list = amiss.joined(separator: " ")
    return .change(
      Work(
        isWanted ? .create : .delete, fields: fields,
        reason: isWanted ? "not installed" : "it should not be there",
        steps: [
          Step(
            StepID(address, isWanted ? "install" : "remove"),
            title: "\(isWanted ? "install" : "remove") \(list)", host: host,
            instructions: [.run(script: script(for: list))], timeout: 900)
        ]))
  }

  private func script(for list: String) -> String {
    let recommends = installsRecommended.map { " -o APT::Install-Recommends=\($0)" } ?? ""
    // Another apt may hold the lock just after boot; waiting for it beats failing.
    let apt = "\(Self.apt) -y -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold"
    let update = updatesLists && isWanted ? "\(apt) update\n" : ""
    // An installation must not remove what the plan does not name, nor restart services on the
    // side: needrestart would restart k3s on every node at once.
    let verb = isWanted ? "--no-remove install" : "remove"
    return """
      export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
      \(update)\(apt)\(recommends) \(verb) \(list)
      """
  }
}

/// What dpkg says of the packages that were asked for.
private struct PackagesSeen: Sendable {
  struct Package: Sendable {
    /// dpkg's word: `installed`, `half-configured` and the like.
    var status: String
    var version: String

    /// A package that waits for another's trigger does its work.
    var works: Bool { status == "installed" || status.hasPrefix("triggers-") }
    var told: String { works ? version : "\(version), \(status)" }
  }

  /// All that are on the host in some way; what has left only its configuration is not.
  var packages: [String: Package] = [:]
  /// Names that other packages stand in for.
  var provided: Set<String> = []
  /// What apt would remove, the packages that were asked for included.
  var removed: [String] = []

  init(_ answer: FactAnswer) throws(Diagnostic) {
    guard answer.status != 3 else {
      throw Diagnostic(
        "there is no apt on the host", reason: "ansible.builtin.apt is for Debian and Ubuntu",
        remedy: "limit the play to hosts that have apt")
    }
    guard answer.status == 0 else {
      throw Diagnostic("dpkg does not answer", reason: "it ended with \(answer.status)")
    }
    for line in answer.values(of: "package") {
      let words = line.split(separator: " ")
      guard words.count == 3, !["config-files", "not-installed"].contains(words[0]) else {
        continue
      }
      packages[String(words[1])] = Package(status: String(words[0]), version: String(words[2]))
    }
    provided = Set(answer.values(of: "provided"))
    removed = answer.values(of: "removes")
  }

  /// Whether a package does its work, itself or by another that stands in for it.
  func serves(_ name: String) -> Bool { packages[name]?.works ?? provided.contains(name) }

  /// Without versions, which unattended upgrades move while nothing of the verdict hangs on them.
  var summary: String {
    let own = packages.keys.sorted().map { name in
      "\(name) \(packages[name]?.works == true ? "installed" : packages[name]?.status ?? "")"
    }
    let others = provided.sorted().map { "\($0) by another" }
    let all = own + others + removed.map { "\($0) would go" }
    return all.isEmpty ? "none installed" : all.joined(separator: ", ")
  }
}

/// Debian policy 5.6.1: lower-case letters, digits, `+`, `-` and `.`; apt takes a hyphen at the end
/// for a wish to remove.
private func isPackageName(_ name: String) -> Bool {
  name.utf8.count >= 2 && name == name.lowercased() && isPlain(name, and: "+-.")
    && isPlain(String(name.prefix(1))) && name.last != "-"
}
