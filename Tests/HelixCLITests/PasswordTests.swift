import Foundation
import HelixModel
import HelixSSH
import TestSupport
import Testing

@testable import HelixCLI

@Suite("passwords are asked for once")
struct PasswordTests {
  /// Gives its answers in order, and notes what was asked.
  private actor Answers: Prompter {
    private(set) var questions: [String] = []
    private var answers: [String]

    init(_ answers: String...) { self.answers = answers }

    func ask(_ question: String) async throws(PromptFailure) -> SecretValue {
      questions.append(question)
      guard !answers.isEmpty else { throw .nobody }
      return SecretValue(answers.removeFirst())
    }
  }

  private func host(_ name: HostName, login: String? = nil, sudo: String? = nil) -> HelixModel.Host
  {
    HelixModel.Host(
      name: name,
      connection: Connection(
        address: "192.0.2.1", password: login.map { SecretValue($0) },
        elevation: Elevation(password: sudo.map { SecretValue($0) })),
      groups: [], variables: Mapping(),
      location: SourceLocation(file: "inventory/hosts.yaml", line: 1, column: 1))
  }

  private func passwords(
    login: Bool = false, sudo: Bool = false, _ answers: Answers
  ) async throws -> [[SecretValue?]] {
    var options = ConnectionOptions()
    (options.askPass, options.askBecomePass) = (login, sudo)
    return
      try await options
      .givingPasswords(to: [host("web-1"), host("web-2", login: "a", sudo: "b")], asking: answers)
      .map { [$0.connection.password, $0.connection.elevation.password] }
  }

  @Test("every host gets them but one that has its own")
  func filled() async throws {
    let answers = Answers("x", "y")
    #expect(
      try await passwords(login: true, sudo: true, answers) == [
        [SecretValue("x"), SecretValue("y")], [SecretValue("a"), SecretValue("b")],
      ])
    #expect(
      await answers.questions == ["login password: ", "sudo password (empty: the login's): "])
  }

  @Test("nothing typed for sudo means the login's password, and for the login none")
  func empty() async throws {
    #expect(
      try await passwords(login: true, sudo: true, Answers("x", "")).first
        == [SecretValue("x"), SecretValue("x")])
    #expect(try await passwords(login: true, Answers("")).first == [nil, nil])
  }

  @Test("without the options nobody is asked")
  func notAsked() async throws {
    #expect(
      try await passwords(Answers()) == [[nil, nil], [SecretValue("a"), SecretValue("b")]])
  }

  @Test("typed at a terminal it is not shown, can be mended, and leaves the terminal as it was")
  func terminal() throws {
    let folder = try estate()
    defer { try? FileManager.default.removeItem(at: folder) }
    let ran = try run(
      "python3",
      Typist.arguments(
        typing: "hunterX\u{7F}2\r", at: "login password: ",
        into: [
          binary, "exec", "-k", "--color", "never", "localhost", "--",
          "sleep 1; echo echoed; sleep 1",
        ]),
      in: folder)
    #expect(ran.output.hasSuffix(" 0\n"), "\(ran.all)")
    #expect(ran.output.contains("localhost | echoed"), "\(ran.all)")
    #expect(!ran.output.contains("hunter"), "\(ran.all)")
    #expect(!ran.output.contains("mute"), "\(ran.all)")
  }

  @Test("without a terminal it says that nobody can be asked")
  func noTerminal() throws {
    let folder = try estate()
    defer { try? FileManager.default.removeItem(at: folder) }
    let ran = try run(
      "setsid", ["--wait", binary, "exec", "-k", "localhost", "--", "true"], in: folder)
    #expect(ran.status == 1)
    #expect(
      ran.errors == """
        error: nobody can be asked for a password
        why: there is no terminal
        fix: run it in a terminal, or let the hosts do without a password

        """)
  }

  private let binary = repository.appendingPathComponent(".build/debug/helix-infra").path

  /// A folder with an inventory of one host.
  private func estate() throws -> URL {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("helix-password-\(UUID().uuidString)")
    let inventory = folder.appendingPathComponent("inventory")
    try FileManager.default.createDirectory(at: inventory, withIntermediateDirectories: true)
    try "all: { hosts: { web-1: { ansible_host: 127.0.0.1, ansible_port: 1 } } }\n"
      .write(to: inventory.appendingPathComponent("hosts.yaml"), atomically: true, encoding: .utf8)
    return folder
  }
}
