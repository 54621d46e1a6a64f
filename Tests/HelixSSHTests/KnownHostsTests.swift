import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite("known_hosts")
struct KnownHostsTests {
  static let path =
    "\(URL(fileURLWithPath: #filePath).deletingLastPathComponent().path)/Fixtures/known_hosts"
  let known: KnownHosts

  init() throws {
    var known = KnownHosts()
    known.add(try String(contentsOfFile: Self.path, encoding: .utf8), file: "known_hosts")
    self.known = known
  }

  @Test(
    "a name finds the keys of its lines",
    arguments: zip(
      [
        "alpha.example.com", "ALPHA.example.com", "10.0.0.1", "[alpha.example.com]:2222",
        "x.lab.example.com", "bad.lab.example.com", "node1.example.com", "node12.example.com",
        "tabs.example.com", "odd.example.com", "broken.example.com", "wrongtype.example.com",
        "short.example.com", "alpha.example",
      ],
      [
        [3, 4], [3, 4], [3], [5], [6], [], [7], [], [15], [], [], [], [], [],
      ]))
  func lookUp(name: String, lines: [Int]) {
    #expect(known.answer(for: name, portless: nil).keys.map(\.place.line) == lines)
  }

  @Test("markers are kept apart from keys")
  func markers() {
    let old = known.answer(for: "old.example.com", portless: nil)
    #expect(old.keys.isEmpty)
    #expect(old.revoked.map(\.place.line) == [8])
    let ca = known.answer(for: "x.ca.example.com", portless: nil)
    #expect(ca.keys.isEmpty)
    #expect(ca.authorities.map(\.line) == [9])
  }

  @Test("a key known without the port is trusted, but never a reason for distrust")
  func portless() throws {
    let answer = known.answer(for: "[alpha.example.com]:22022", portless: "alpha.example.com")
    #expect(answer.keys.isEmpty)
    #expect(answer.portless.map(\.place.line) == [3, 4])
    let check = HostKeyCheck(
      name: "[alpha.example.com]:22022", answer: answer, policy: .strict, file: nil)
    #expect(check.verdict(on: answer.portless[0].key) == .trusted)
    let other = HostKey(blob: [0, 0, 0, 1, 65])
    #expect(
      check.verdict(on: other)
        == .refused(.unknown(other, name: "[alpha.example.com]:22022", file: nil)))
  }

  @Test("algorithms of known keys are asked for first, and nothing weak at all")
  func algorithms() throws {
    let answer = known.answer(for: "alpha.example.com", portless: nil)
    var check = HostKeyCheck(
      name: "alpha.example.com", answer: answer, policy: .strict, file: nil)
    let supported = [
      "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ssh-ed25519", "ssh-rsa", "ssh-dss",
    ]
    #expect(
      try check.algorithms(supported: supported).get()
        == ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384"])
    check = HostKeyCheck(
      name: "h", answer: .init(keys: [answer.keys[1]]), policy: .strict, file: nil)
    #expect(
      try check.algorithms(supported: supported).get()
        == ["ecdsa-sha2-nistp256", "ssh-ed25519", "ecdsa-sha2-nistp384"])
  }

  @Test(
    "ssh-keygen -F finds the same lines, plain and hashed",
    .enabled(if: SSHServer.isAvailable, "ssh-keygen is not installed"))
  func oracle() throws {
    let folder = try ScratchFolder()
    // Only names without patterns can be hashed.
    let text = try String(contentsOfFile: Self.path, encoding: .utf8)
    let plain = text.split(separator: "\n").filter { $0.contains("alpha") }.joined(separator: "\n")
    let file = try folder.write(plain + "\n", to: "hashed")
    try runLocally("/usr/bin/ssh-keygen", "-H", "-f", file)
    var hashed = KnownHosts()
    hashed.add(folder.text(of: "hashed"), file: file)
    for name in ["alpha.example.com", "10.0.0.1", "[alpha.example.com]:2222", "beta"] {
      let said = try runLocally("/usr/bin/ssh-keygen", "-F", name, "-f", file)
      let lines = said.split(separator: "\n").filter { $0.hasPrefix("# Host") }.compactMap {
        $0.split(separator: " ").last.flatMap { Int($0) }
      }
      #expect(hashed.answer(for: name, portless: nil).keys.map(\.place.line) == lines)
    }
  }

  @Test("a line of many stars is matched in no time")
  func hostilePattern() {
    var known = KnownHosts()
    let line = String(repeating: "*a", count: 200) + "b ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"
    known.add(line, file: "f")
    let name = String(repeating: "a", count: 2000)
    #expect(!KnownHosts.matches(pattern: line.prefix(401).utf8, name[...].utf8))
  }

  @Test("base64 turns around, and refuses what is not it")
  func base64() {
    for count in 0..<20 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + 200) }
      let text = Data(bytes).base64EncodedString()
      #expect(Base64.encode(bytes) == text)
      #expect(Base64.decode(text) == bytes)
    }
    for text in ["a", "ab=c", "====", "ab c", "abcd\n", "äbcd"] {
      #expect(Base64.decode(text) == nil)
    }
  }
}
