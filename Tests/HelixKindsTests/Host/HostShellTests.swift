import Foundation
import HelixModel
import HelixPlan
import Testing

@testable import HelixKinds

private let isRoot = getuid() == 0

@Suite("host kinds: on a real shell", .enabled(if: isRoot, "owners are set as root"))
struct HostShellTests {
  private let here = HostOnShell()
  private let folder: AwkwardFolder

  init() throws { folder = try AwkwardFolder() }

  @Test(
    "a new file is written once, whatever it holds",
    arguments: [
      "", "one\ntwo\n", "no newline", "one\r\ntwo\r\n", "\n\nsize=1\n\n", "'$x' \\n `id` %s\n",
      "cafe\u{301} ☃\n", String(repeating: "0123456789\n", count: 20_000),
    ])
  func newFile(content: String) async throws {
    try await here.triple(
      "copy", ["dest": .text(folder("a/b c")), "content": .text(content)], .create)
    #expect(try Array(folder.text(of: "a/b c").utf8) == Array(content.utf8))
    #expect(try folder.mode(of: "a/b c") == 0o644)
  }

  @Test("a file with secrets in it is written, and nobody is told what they are")
  func secretFile() async throws {
    let canary = "c4n4ry/7f3a+9b=! 'ü\n"
    var here = here
    here.secrets = ["pw": canary]
    let text: TemplateText = "user=web\npw=\(secret: SecretName("pw"))\n"
    let pair: TemplateText = "web:\(secret: SecretName("pw"))"
    let content = text.followed(by: "auth=").followed(
      by: try #require(pair.coded(.encodedInBase64)))
    let wanted = "user=web\npw=\(canary)\nauth=\(Base64.encode(Array("web:\(canary)".utf8)))"
    let arguments: [String: Value] = ["dest": .text(folder("f")), "content": .hidden(content)]
    try await here.triple("copy", arguments, .create)
    #expect(try folder.text(of: "f") == wanted)
    #expect(try folder.mode(of: "f") == 0o600)

    try folder.write(wanted.replacing("user=web", with: "user=\(canary)"), to: "f", mode: 0o640)
    let (_, observation) = try await here.observed("copy", arguments)
    let plan = try await here.plan("copy", arguments)
    await here.apply(plan)
    #expect(try folder.text(of: "f") == wanted)
    #expect(try folder.mode(of: "f") == 0o640)
    let (_, attributes) = try await here.observed(
      "file", ["path": .text(folder("f")), "state": .text("file")])
    let encoder = JSONEncoder()
    let seen = [
      String(decoding: try encoder.encode(plan), as: UTF8.self), HostPlanText.of(plan),
      String(decoding: try encoder.encode(observation), as: UTF8.self),
      String(decoding: try encoder.encode(attributes), as: UTF8.self), "\(await here.told.events)",
    ]
    for text in seen {
      #expect(!text.contains("c4n4ry"))
      #expect(!text.contains("YzRuNHJ5"))
      #expect(!text.contains("d2ViOmM0bjRyeS"))
    }
    #expect(seen[0].contains("another text, which stays on the host"))
  }

  @Test("a file that differs by one byte is found and mended")
  func oneByte() async throws {
    try folder.write("one\r\ntwo", to: "file", mode: 0o640)
    try await here.triple(
      "copy", ["dest": .text(folder("file")), "content": .text("one\ntwo")], .update)
    #expect(try folder.text(of: "file") == "one\ntwo")
    #expect(try folder.mode(of: "file") == 0o640, "a mode nobody asked for stays")
  }

  @Test("a file's mode and owner are mended where only they differ")
  func attributesOfFile() async throws {
    try folder.write("x\n", to: "file", mode: 0o4755)
    try await here.triple(
      "template",
      [
        "dest": .text(folder("file")), "content": .text("x\n"), "mode": .text("0600"),
        "owner": .text("65534"), "group": .text("65534"),
      ], .update)
    #expect(try folder.mode(of: "file") == 0o600)
  }

  @Test("bytes that are no text are compared by their checksum")
  func binary() async throws {
    try Data([0x7F, 0x45, 0x00, 0xFF, 0xFE]).write(to: URL(filePath: folder("file")))
    let plan = try await here.plan(
      "copy", ["dest": .text(folder("file")), "content": .text("x")])
    #expect(plan.changes.first?.fields.map(\.name) == ["sha256"])
  }

  @Test("a link in a file's way is refused, and what it points to stays")
  func linkInTheWay() async throws {
    try folder.write("dear\n", to: "target")
    try FileManager.default.createSymbolicLink(
      atPath: folder("file"), withDestinationPath: folder("target"))
    let plan = try await here.plan(
      "copy", ["dest": .text(folder("file")), "content": .text("x")])
    #expect(plan.refusals.count == 1)
    #expect(plan.graph.steps == [])
  }

  @Test("a folder is made with its parents", arguments: ["0755", "0700", "1777", "2750"])
  func newFolder(mode: String) async throws {
    try await here.triple(
      "file",
      ["path": .text(folder("a/b c/")), "state": .text("directory"), "mode": .text(mode)], .create)
    #expect(try folder.mode(of: "a/b c") == Int(mode, radix: 8))
    #expect(try folder.mode(of: "a") == 0o755)
  }

  @Test("a folder loses set-ID bits that it should not have")
  func folderBits() async throws {
    try FileManager.default.createDirectory(
      atPath: folder("d"), withIntermediateDirectories: false,
      attributes: [.posixPermissions: 0o6775])
    try FileManager.default.setAttributes([.posixPermissions: 0o6775], ofItemAtPath: folder("d"))
    try await here.triple(
      "file", ["path": .text(folder("d")), "state": .text("directory"), "mode": .integer(0o755)],
      .update)
  }

  @Test("a link is made, and moved from one folder to another")
  func links() async throws {
    try FileManager.default.createDirectory(
      atPath: folder("old"), withIntermediateDirectories: false)
    let link: [String: Value] = ["path": .text(folder("link")), "state": .text("link")]
    try await here.triple("file", link.merging(["src": .text("old")]) { $1 }, .create)
    try await here.triple("file", link.merging(["src": .text("-n it's\nnew")]) { $1 }, .update)
    #expect(try folder.names == ["link", "old"], "nothing was put into the folder it pointed to")
  }

  @Test("a folder that should not be there goes, and what links in it point to stays")
  func absence() async throws {
    try folder.write("dear\n", to: "target")
    try FileManager.default.createDirectory(
      atPath: folder("d/e"), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: folder("d/e/link"), withDestinationPath: folder("target"))
    try await here.triple(
      "file", ["path": .text(folder("d")), "state": .text("absent")], .delete)
    #expect(try folder.names == ["target"])
  }

  @Test("a kernel parameter goes into its file, and the rest of the file stays as it is")
  func sysctlFile() async throws {
    try folder.write(
      "# net.ipv4.ip_forward=9\nvm.swappiness = 10\r\n-net/ipv4/ip_forward=0\nplain words\n"
        + "net.ipv4.ip_forward = 0\nkernel.panic=5", to: "k3s.conf", mode: 0o600)
    try await here.triple("sysctl", setting("net.ipv4.ip_forward", "1"), .update)
    #expect(
      try folder.text(of: "k3s.conf")
        == "# net.ipv4.ip_forward=9\nvm.swappiness = 10\r\nnet.ipv4.ip_forward = 1\nplain words\n"
        + "kernel.panic=5\n")
    #expect(try folder.mode(of: "k3s.conf") == 0o600)
    #expect(try folder.names == ["k3s.conf"])
  }

  @Test(
    "a kernel parameter's line is found again however it is written",
    arguments: [
      ("net/ipv4/ip_forward", "1"), ("net.ipv4.conf.eth0/1.rp_filter", "2"),
      ("net/ipv4/conf/eth0.1/rp_filter", "2"), ("net.ipv4.ip_local_port_range", "1024 \t 65535"),
      ("kernel.core_pattern", "|/opt/o'x \\n %p=1 & $(id)"),
      // Cannot be read before it is set.
      ("net.ipv6.conf.default.stable_secret", "2001:db8::1"),
    ])
  func sysctlNames(name: String, value: String) async throws {
    try await here.triple("sysctl", setting(name, value), .create)
  }

  @Test("a sysctl file that is a link stays one")
  func sysctlLink() async throws {
    try folder.write("", to: "sysctl.conf")
    try FileManager.default.createSymbolicLink(
      atPath: folder("k3s.conf"), withDestinationPath: "sysctl.conf")
    try await here.triple("sysctl", setting("kernel.panic", "10"), .create)
    #expect(try folder.text(of: "sysctl.conf") == "kernel.panic = 10\n")
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: folder("k3s.conf"))
        == "sysctl.conf")
  }

  @Test("packages are told from names nobody has")
  func packages() async throws {
    let installed = try await here.plan("apt", ["name": .text("dash, awk")])
    #expect(installed.changes.map(\.reason) == ["already installed"], "\(installed.changes)")
    let missing = try await here.plan("apt", ["name": .text("helix-no-such-package")])
    #expect(missing.changes.map(\.action) == [.create], "\(missing.changes)")
  }

  @Test(
    "facts that only look can be asked of any machine",
    arguments: [
      ("hostname", ["name": "helix-no-such-host"]), ("timezone", ["name": "Europe/Berlin"]),
      ("mount", ["fstype": "swap", "state": "absent"]), ("modprobe", ["name": "loop"]),
      ("sysctl", ["name": "kernel.ostype", "value": "Linux"]),
    ])
  func harmlessFacts(module: String, arguments: [String: String]) async throws {
    let plan = try await here.plan(module, arguments.mapValues { .text($0) })
    #expect(plan.changes.count == 1)
    #expect(plan.changes.first?.relied.count == 1)
  }

  private func setting(_ name: String, _ value: String) -> [String: Value] {
    [
      "name": .text(name), "value": .text(value), "sysctl_file": .text(folder("k3s.conf")),
      "sysctl_set": .bool(false), "reload": .bool(false),
    ]
  }
}
