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

  /// A program of the user's own, on a screen of theirs, can ask for passphrases and PINs.
  var mayAsk: Bool {
    let hasScreen = self["DISPLAY"] != nil || self["WAYLAND_DISPLAY"] != nil
    switch self["SSH_ASKPASS_REQUIRE"] {
    case "never": return false
    case "force": return self["SSH_ASKPASS"] != nil
    default: return self["SSH_ASKPASS"] != nil && hasScreen
    }
  }
}
