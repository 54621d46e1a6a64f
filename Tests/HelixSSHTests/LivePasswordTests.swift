import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite(
  "passwords on a real sshd", .tags(.live), .serialized,
  .enabled(
    if: SSHServer.isAvailable && geteuid() == 0
      && FileManager.default.isExecutableFile(atPath: "/usr/sbin/useradd"),
    "needs sshd, and root to make a user with a password"), .timeLimit(.minutes(5)))
struct LivePasswordTests {
  private static let pam = ["UsePAM yes", "KbdInteractiveAuthentication yes"]
  private static let password = ["PasswordAuthentication yes"]

  let user: ThrowawayUser

  init() async throws { user = try await aside { try ThrowawayUser() } }

  private func bench(_ config: [String]) async throws -> LoginBench {
    let server = try await aside { try SSHServer(config: config) }
    // sshd reads them as the user.
    chmod(server.folder.path, 0o711)
    chmod(server.folder.file("authorized_keys"), 0o644)
    return LoginBench(server)
  }

  private func settings(
    _ bench: LoginBench, password: String?, _ change: (inout SSHSettings) -> Void = { _ in }
  ) throws -> SSHSettings {
    try bench.settings {
      $0.user = user.name
      $0.password = password.map { SecretValue($0) }
      change(&$0)
    }
  }

  @Test(
    "the password lets in, by either method",
    arguments: [Self.password, Self.pam, Self.pam + Self.password])
  func right(config: [String]) async throws {
    let bench = try await bench(config)
    #expect(try await bench.logIn(settings(bench, password: user.password)) == "in\n")
  }

  @Test("a wrong password is refused, listed, and never shown")
  func wrong() async throws {
    for config in [Self.password, Self.pam] {
      let bench = try await bench(config)
      let settings = try settings(bench, password: "not-the-Secret") {
        $0.identityFiles = [bench.server.userKey]
        $0.user = user.name
      }
      try bench.server.folder.write("", to: "authorized_keys")
      guard let error = try await bench.refusal(settings), case .loginRefused(let attempts) = error
      else {
        Issue.record("the login was not refused")
        continue
      }
      #expect(attempts.refused.last == "the password")
      #expect(attempts.refused.first?.contains(bench.server.userKey) == true)
      let words = error.diagnostic(settings)
      #expect(words.remedy == "correct the password or ansible_user")
      #expect(!"\(words) \(error) \(settings)".contains("not-the-Secret"))
    }
  }

  @Test("without a password the error says that one would be taken")
  func none() async throws {
    let bench = try await bench(Self.password)
    let settings = try settings(bench, password: nil)
    guard let error = try await bench.refusal(settings), case .noKeys(let attempts) = error else {
      Issue.record("the login was not refused")
      return
    }
    #expect(attempts.serverTakes.sorted() == ["password", "publickey"])
    #expect(error.diagnostic(settings).remedy?.contains("--ask-pass") == true)
  }

  @Test(
    "a server that wants two things gets both, in its own order",
    arguments: [
      "publickey,password", "password,publickey", "publickey,keyboard-interactive",
      "keyboard-interactive,publickey",
    ])
  func both(methods: String) async throws {
    let bench = try await bench(Self.pam + Self.password + ["AuthenticationMethods \(methods)"])
    var settings = try settings(bench, password: user.password) {
      $0.identityFiles = [bench.server.userKey]
    }
    #expect(try await bench.logIn(settings) == "in\n")
    // With half of it, the error tells what was good and what is missing.
    settings.password = nil
    guard case .loginRefused(let attempts) = try await bench.refusal(settings) else {
      if methods.hasSuffix("publickey") { return }
      Issue.record("the login was not refused")
      return
    }
    if methods.hasPrefix("publickey") {
      #expect(attempts.accepted.count == 1 && attempts.refused.isEmpty)
      #expect(attempts.serverTakes == [String(methods.split(separator: ",")[1])])
    }
    settings.password = SecretValue("wrong")
    guard case .loginRefused(let wrong) = try await bench.refusal(settings) else {
      Issue.record("the login was not refused")
      return
    }
    #expect(wrong.refused == ["the password"])
  }

  @Test("a server that wants two keys gets both")
  func twoKeys() async throws {
    let bench = try await bench(["AuthenticationMethods publickey,publickey"])
    let folder = bench.server.folder
    let second = try makeKey(in: folder, "second", type: "ecdsa")
    try folder.write(
      folder.text(of: "user.pub") + folder.text(of: "second.pub"), to: "authorized_keys",
      mode: 0o644)
    let settings = try settings(bench, password: nil) {
      $0.identityFiles = [bench.server.userKey, second]
    }
    #expect(try await bench.logIn(settings) == "in\n")
  }

  @Test("the methods' order is obeyed, and what is not among them is not tried")
  func order() async throws {
    let bench = try await bench(Self.password)
    let settings = try settings(bench, password: user.password) {
      $0.identityFiles = [bench.server.userKey]
      $0.methods = [.password, .publicKey]
    }
    #expect(try await bench.logIn(settings) == "in\n")
    #expect(bench.server.log.contains("Accepted password for \(user.name)"))
    var keys = settings
    keys.methods = [.keyboardInteractive]
    guard case .noKeys? = try await bench.refusal(keys) else {
      Issue.record("something was tried")
      return
    }
  }

  @Test("an expired password is named")
  func expired() async throws {
    try runLocally("/usr/bin/chage", "-d", "0", user.name)
    let bench = try await bench(Self.pam)
    let settings = try settings(bench, password: user.password)
    #expect(try await bench.refusal(settings) == .passwordExpired)
  }

  @Test("only what asks for the password gets it, and only once")
  func questions() {
    let interview = Interview(password: SecretValue("x"))
    #expect(interview.answer("Verification code: ", isShown: false) == nil)
    #expect(interview.answer("Password: ", isShown: true) == nil)
    #expect(interview.refusal == "it asks \"Verification code: \", not a password")
    #expect(interview.answer("(a@b) Password: ", isShown: false) == SecretValue("x"))
    #expect(interview.answer("Password: ", isShown: false) == nil)
    #expect(!interview.isExpired)
    #expect(interview.answer("New password: ", isShown: false) == nil)
    #expect(interview.isExpired)
  }
}

/// A user of this machine who is gone when the test is over.
final class ThrowawayUser: Sendable {
  let name = "helix-\(UInt32.random(in: 0 ... .max))"
  let password = "Pw-\(UInt64.random(in: 0 ... .max))"

  init() throws {
    try runLocally("/usr/sbin/useradd", "-M", "-N", "-s", "/bin/sh", "-d", "/", name)
    try runLocally(
      "/bin/sh", "-c", "echo '\(name):\(password)' | /usr/sbin/chpasswd")
  }

  deinit { _ = try? runLocally("/usr/sbin/userdel", name) }
}
