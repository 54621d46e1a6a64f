/// The variables that a program inherits.
struct ProgramEnvironment: Hashable, Sendable {
  /// `NAME=value`.
  var lines: [String]

  static var current: ProgramEnvironment {
    ProgramEnvironment(lines: ChildProcess.currentEnvironment())
  }

  subscript(name: String) -> String? {
    get {
      lines.first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
    }
    set {
      lines.removeAll { $0.hasPrefix("\(name)=") }
      if let newValue { lines.append("\(name)=\(newValue)") }
    }
  }

  /// The same, with the system's messages in the language that is understood here.
  var speakingPlainly: ProgramEnvironment {
    var changed = self
    changed["LC_ALL"] = "C"
    return changed
  }

  /// The same, with a program that asks in the terminal's place.
  func asking(by program: String) -> ProgramEnvironment {
    var changed = self
    changed["SSH_ASKPASS"] = program
    changed["SSH_ASKPASS_REQUIRE"] = "force"
    return changed
  }
}
