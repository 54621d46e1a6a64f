import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite("broken configurations of ssh")
struct BrokenConfigTests {
  private let folder: ScratchFolder
  private let local: LocalUser

  init() throws {
    folder = try ScratchFolder()
    try runLocally("/bin/mkdir", "-m", "700", folder.file(".ssh"))
    local = LocalUser(name: "me", home: folder.path, agentSocket: nil)
  }

  private func problems(_ name: String = "web-1") -> [Diagnostic] {
    let place = SourceLocation(file: "hosts.yaml", line: 3, column: 5)
    let host = Host(
      name: "n1", connection: Connection(address: name), groups: [], variables: Mapping(),
      location: place)
    return ConnectionCheck.problems(of: [host, host], local: local)
  }

  @Test(
    "each mistake is told with its place, and all at once",
    arguments: [
      ("Usr ops", "1:1-3: unknown ssh option \"Usr\" · did you mean \"User\"?"),
      ("  Port\tmany # all", "1:8-4: \"many\" is not a port"),
      ("User ö\nPort=\"x y\"", "2:6-5: \"x y\" is not a port"),
      ("User", "1:1-4: User has no value"),
      ("User a b", "1:8-1: User takes one value, and \"b\" is a second one"),
      ("User \"a", "1:6-1: a quotation mark is never closed"),
      (
        "Host a\n  ConnectTimeout soon\n  IdentitiesOnly perhaps",
        "2:18-4: \"soon\" is not a time\n3:18-7: \"perhaps\" is neither yes nor no"
      ),
      ("Match hots a", "1:7-4: \"hots\" is no criterion of Match · did you mean \"host\"?"),
      ("Match user", "1:7-4: the criterion \"user\" has no value"),
      ("Match all user a", "1:7-3: \"all\" stands beside other criteria"),
      ("ProxyJump a@,b", "1:11-4: \"a@,b\" is no way to a host"),
      ("HostName %p", "1:10-2: \"%p\" in \"%p\" is not supported"),
      (
        "UserKnownHostsFile ${X_Y_Z}",
        "1:20-8: the environment has no variable \"X_Y_Z\""
      ),
      ("UserKnownHostsFile a none", "1:20-1: UserKnownHostsFile names files beside \"none\""),
      ("Ciphers ,", "1:9-1: \",\" names no algorithms"),
      ("ServerAliveCountMax -1", "1:21-2: \"-1\" is not a count"),
    ])
  func mistakes(text: String, expected: String) throws {
    let path = try folder.write(text + "\n", to: ".ssh/config")
    let told = problems().map { problem in
      let place = problem.location
      #expect(place?.file == path)
      let remedy = problem.remedy.flatMap { $0.hasPrefix("did you") ? " · \($0)" : nil } ?? ""
      return "\(place?.line ?? 0):\(place?.column ?? 0)-\(place?.length ?? 0):"
        + " \(problem.summary)\(remedy)"
    }
    #expect(told.joined(separator: "\n") == expected)
  }

  @Test("a configuration that others can write is not read")
  func unsafe() throws {
    let path = try folder.write("User ops\n", to: ".ssh/config", mode: 0o602)
    #expect(problems().map(\.summary) == ["others can write ssh's configuration \(path)"])
    try folder.write("Include more\n", to: ".ssh/config")
    let more = try folder.write("User ops\n", to: ".ssh/more", mode: 0o666)
    #expect(problems().map(\.summary) == ["others can write ssh's configuration \(more)"])
  }

  @Test("files that include each other are told once, however many ways lead through them")
  func loop() throws {
    let lines = "Include \(folder.file(".ssh/*"))\nInclude config\nUser ops\n"
    try folder.write(lines, to: ".ssh/config")
    try folder.write(lines, to: ".ssh/other")
    #expect(problems().map(\.summary) == ["\(folder.file(".ssh/config")) is included too deep"])
  }

  @Test("a folder in place of the file is an error, a missing file is none")
  func noFile() throws {
    #expect(problems().isEmpty)
    try runLocally("/bin/mkdir", folder.file(".ssh/config"))
    #expect(
      problems().map(\.summary)
        == ["cannot read ssh's configuration \(folder.file(".ssh/config"))"])
  }

  @Test("random bytes are read or refused, and harm nothing")
  func randomBytes() throws {
    var random = SeededGenerator(seed: 3)
    let words = [
      "Host", "Match", "Include", "all", "final", "exec", "ProxyJump", "HostName", "User", "%", "$",
      "${", "\"", "'", "\\", "=", ",", "!", "*", "#", "~", "[", "]:", "@", "ssh://", "+", "-", "^",
    ]
    for _ in 0..<400 {
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 0..<120, using: &random) {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.append(UInt8.random(in: 0...255, using: &random))
        case 1: bytes.append([10, 32, 9, 13].randomElement(using: &random) ?? 10)
        default: bytes += Array((words.randomElement(using: &random) ?? "").utf8)
        }
      }
      try folder.write(bytes, to: ".ssh/config")
      for problem in problems(["web-1", "", "%", "::1"].randomElement(using: &random) ?? "") {
        #expect(!problem.summary.isEmpty)
      }
    }
  }
}
