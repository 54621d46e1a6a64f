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
    packages = arguments.texts("name").flatMap { name in
      name.split(separator: ",").map { trimmed($0) }
    }
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

  private var fact: Fact<[String: String]> {
    let names = packages.joined(separator: " ")
    return Fact(
      "package:\(names)",
      command: """
        command -v dpkg-query >/dev/null || exit 3
        dpkg-query -W -f '${db:Status-Status}=${binary:Package}=${Version}\\n' \(names) 2>/dev/null
        :
        """,
      parse: { answer throws(Diagnostic) in try Self.installed(answer) },
      summary: { versions in
        versions.keys.sorted().map { "\($0) \(versions[$0] ?? "")" }.joined(separator: ", ")
      })
  }

  /// The versions of the packages that are installed.
  private static func installed(_ answer: FactAnswer) throws(Diagnostic) -> [String: String] {
    guard answer.status != 3 else {
      throw Diagnostic(
        "there is no apt on the host", reason: "ansible.builtin.apt is for Debian and Ubuntu",
        remedy: "limit the play to hosts that have apt")
    }
    var versions: [String: String] = [:]
    for line in answer.output.split(separator: "\n") {
      let parts = line.split(separator: "=", maxSplits: 2)
      guard parts.count == 3, parts[0] == "installed" else { continue }
      versions[String(parts[1].prefix { $0 != ":" })] = String(parts[2])
    }
    return versions
  }

  package var questions: [Question] { [Question(fact, on: host)] }

  package func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let installed = try sight.read(fact, on: host)
    let amiss = packages.filter { (installed[$0] != nil) != isWanted }
    guard !amiss.isEmpty else {
      return .unchanged(reason: isWanted ? "already installed" : "not installed")
    }
    let fields = amiss.map { name in
      isWanted
        ? FieldChange(name, after: "installed") : FieldChange(name, before: installed[name])
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
    let apt = "apt-get -qq -y -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold"
    let update = updatesLists && isWanted ? "\(apt) update\n" : ""
    return """
      export DEBIAN_FRONTEND=noninteractive
      \(update)\(apt)\(recommends) \(isWanted ? "install" : "remove") \(list)
      """
  }
}

/// Debian policy 5.6.1: lower-case letters, digits, `+`, `-` and `.`.
private func isPackageName(_ name: String) -> Bool {
  name.utf8.count >= 2
    && name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
        true
      default: false
      }
    } && name.first != "-"
}
