package import HelixModel
package import HelixPlan

/// A kernel module, loaded now and at boot (`community.general.modprobe`).
package struct KernelModuleKind: ModuleKind {
  package static let module = ModuleSpec(
    names: ["community.general.modprobe", "modprobe"],
    parameters: [
      .init("name", required: true),
      .init("state", choices: ["present"]),
      .init("persistent", choices: ["present", "disabled"]),
    ])

  package let address: Address
  package let location: SourceLocation?
  private let host: HostName
  private let name: String
  private let isPersistent: Bool

  package init(_ demand: TaskDemand) throws(Diagnostics) {
    let arguments = Arguments(demand)
    host = demand.host
    name = try arguments.required("name")
    isPersistent = arguments.text("persistent") == "present"
    address = Address(host: host, kind: "kernel-module", name: name)
    location = demand.location
    guard isPlain(name, and: "_-"), name.first != "-" else {
      throw Diagnostics(
        Diagnostic(
          "\"\(name)\" is not a kernel module's name", at: arguments.location(of: "name")))
    }
  }

  private struct Loading: Sendable {
    var isLoaded: Bool
    var isListed: Bool
  }

  private var fact: Fact<Loading> {
    // A module built into the kernel is loaded, whether or not it has parameters under /sys.
    let underscored = name.replacing("-", with: "_")
    let pattern = underscored.replacing("_", with: "[-_]")
    return Fact(
      "kernel-module:\(name)",
      command: """
        if [ -d /sys/module/\(underscored) ] || { read -r helix_kernel </proc/sys/kernel/osrelease &&
          grep -q '/\(pattern)\\.ko' "/lib/modules/$helix_kernel/modules.builtin" 2>/dev/null; }
        then echo loaded=yes; fi
        if grep -qsE '^[[:blank:]]*\(pattern)([[:blank:]]|$)' /etc/modules \
          /etc/modules-load.d/*.conf /usr/lib/modules-load.d/*.conf
        then echo listed=yes; fi
        :
        """,
      parse: { answer throws(Diagnostic) in
        let properties = answer.properties
        return Loading(
          isLoaded: properties["loaded"] == "yes", isListed: properties["listed"] == "yes")
      },
      summary: { "\($0.isLoaded ? "loaded" : "not loaded"), \($0.isListed ? "" : "not ")at boot" })
  }

  package var questions: [Question] { [Question(fact, on: host)] }

  package func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let seen = try sight.read(fact, on: host)
    let mustList = isPersistent && !seen.isListed
    guard !seen.isLoaded || mustList else { return .unchanged(reason: "already loaded") }
    var instructions: [Instruction] = []
    var fields: [FieldChange] = []
    if !seen.isLoaded {
      instructions.append(.run(script: "modprobe \(name)"))
      fields.append(FieldChange("loaded", before: "no", after: "yes"))
    }
    if mustList {
      let path = "/etc/modules-load.d/\(name).conf"
      instructions.append(.write(FileWrite(path: path, content: TemplateText("\(name)\n"))))
      fields.append(FieldChange("at boot", before: "no", after: path))
    }
    return .change(
      Work(
        seen.isLoaded ? .update : .create, fields: fields,
        reason: seen.isLoaded ? "it would be gone after a reboot" : "it is not loaded",
        steps: [
          Step(
            StepID(address, "load"), title: "load the kernel module \(name)", host: host,
            instructions: instructions)
        ]))
  }
}
