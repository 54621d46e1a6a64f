import HelixModel

extension AscentProblem {
  /// What people read when a login could not become another user.
  func words(_ ascent: Ascent, _ settings: SSHSettings) -> SSHError.Words {
    let (tool, user) = (ascent.method.rawValue, settings.user)
    let allowing = Self.allowing(user, as: ascent)
    switch self {
    case .passwordNeeded:
      return .init(
        summary: "\(tool) wants a password for \(user)",
        reason: ascent.method == .doas
          ? "doas reads passwords from a terminal only, and here is none"
          : "there is no ansible_become_password for the host",
        remedy: ascent.method == .doas
          ? allowing : "give it with --ask-become-pass or ansible_become_password; or \(allowing)")
    case .passwordRefused:
      return .init(
        summary: "\(tool) refused the password of \(user)",
        reason: "it was tried once, so that no account is locked",
        remedy: "correct ansible_become_password, or what was typed at --ask-become-pass")
    case .notAllowed(let said):
      return .init(
        summary: "\(user) may not use \(tool) to become \(ascent.user)", reason: said,
        remedy: "\(allowing), or connect as \(ascent.user)")
    case .missing:
      return .init(
        summary: "\(tool) is not installed",
        reason: "\(user) is not \(ascent.user) and the step needs to be",
        remedy: "install \(tool) on the host, or connect as \(ascent.user)")
    case .terminalNeeded:
      return .init(
        summary: "sudo wants a terminal", reason: "requiretty is set in the host's sudoers",
        remedy: "put \"Defaults:\(user) !requiretty\" into /etc/sudoers.d/\(user) on the host")
    case .pathTooShort(let said):
      return .init(
        summary: "\(tool) does not find sh", reason: "\(said); its secure_path leaves out /bin",
        remedy: "add /usr/bin and /bin to secure_path in the host's sudoers")
    case .other(let said):
      return .init(
        summary: "\(tool) did not run the command", reason: said,
        remedy: "try it on the host: \(tool) -n true")
    }
  }

  /// What an administrator writes so that no password is asked for.
  private static func allowing(_ user: String, as ascent: Ascent) -> String {
    switch ascent.method {
    case .sudo:
      "put \"\(user) ALL=(ALL) NOPASSWD:ALL\" into /etc/sudoers.d/\(user) on the host"
    case .doas: "put \"permit nopass \(user)\" into /etc/doas.conf on the host"
    }
  }
}
