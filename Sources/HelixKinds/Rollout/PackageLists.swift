import HelixModel
import HelixPlan

/// The lists that apt goes by, not older than a day; refreshing them disturbs nobody.
struct PackageLists: Resource {
  static let kind = "package-lists"
  let node: K3sNode

  var address: Address { node.address(Self.kind) }
  var location: SourceLocation? { node.location }
  var questions: [Question] { [Question(PendingPackages.fact, on: node.host)] }

  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    guard let packages = try sight.read(PendingPackages.fact, on: node.host) else {
      return .unchanged(reason: "there is no apt")
    }
    guard !packages.listsAreFresh else { return .unchanged(reason: "of the last day") }
    let refresh = Launch(
      "refresh the lists of packages",
      script: """
        set -e
        apt-get -q -o APT::Update::Error-Mode=any -o DPkg::Lock::Timeout=300 update
        mkdir -p \(PendingPackages.stamp.dropLast("/update-success-stamp".count))
        touch \(PendingPackages.stamp)
        """,
      timeout: 900)
    return .change(
      Work(
        .update, fields: [FieldChange("lists", before: "older than a day", after: "of now")],
        reason: "what is to be updated is known only by them",
        steps: [
          Step(
            StepID(address, "refresh"), title: "refresh the lists of packages on \(node.host)",
            on: node.host, [.launch(refresh)])
        ]))
  }
}
