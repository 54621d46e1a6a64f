import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

/// The real `ssh -G` is the oracle: what it makes of a configuration, ours makes of it, too.
@Suite("ssh's configuration", .tags(.live), .enabled(if: SSHClient.isAvailable))
struct SSHConfigOracleTests {
  @Test("is understood as ssh understands it", arguments: SSHConfigCase.all)
  func cases(one: SSHConfigCase) throws {
    let folder = try ScratchFolder()
    let config = try one.write(to: folder)
    #expect(!one.calls.isEmpty)
    for call in one.calls {
      try compare(try one.words(call, folder, config: config), "ssh \(call)")
    }
  }

  @Test("at least sixty of them are compared")
  func enough() {
    #expect(SSHConfigCase.all.count >= 130)
  }

  @Test("random values with quotation marks and escapes are cut as ssh cuts them")
  func randomWords() throws {
    var random = SeededGenerator(seed: 92)
    let folder = try ScratchFolder()
    let pieces = ["a", "b", " ", "\t", "\"", "'", "\\", "#", "=", "\\\"", "\\ ", "ä", "x"]
    for _ in 0..<120 {
      let value = (0..<8).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
      let config = try folder.write("Port 2222\nUser \(value)\n", to: "config")
      try compare(["-F", config, "web-1"], "User \(value)")
    }
  }

  @Test("random files with hosts and criteria are followed as ssh follows them")
  func randomFiles() throws {
    var random = SeededGenerator(seed: 7)
    let folder = try ScratchFolder()
    for _ in 0..<120 {
      let text = (0..<12).map { _ in RandomConfig.line(&random) }.joined(separator: "\n") + "\n"
      let config = try folder.write(text, to: "config")
      try compare(
        ["-F", config, ["web-1", "db-2", "Web-3"].randomElement(using: &random) ?? ""], text)
    }
  }

  private func compare(_ words: [String], _ comment: String) throws {
    let theirs = try SSHClient.understands(words)
    let ours = try Understanding(words)?.values
    #expect((ours == nil) == (theirs == nil), "\(comment): one refuses it")
    guard let ours, let theirs else { return }
    for (keyword, value) in ours.sorted(by: { $0.key < $1.key }) {
      #expect(value == theirs[keyword] ?? [], "\(comment): \(keyword)")
    }
  }
}

/// Lines that mean something together.
private enum RandomConfig {
  static func line(_ random: inout SeededGenerator) -> String {
    let host = ["web-1", "web-*", "!web-1", "db-?", "*", "real", "Web-3"]
    func name(_ random: inout SeededGenerator) -> String {
      host.randomElement(using: &random) ?? ""
    }
    switch Int.random(in: 0..<14, using: &random) {
    case 0, 1: return "Host \(name(&random)) \(name(&random))"
    case 2: return "Match host \(name(&random)),\(name(&random))"
    case 3: return "Match \(Bool.random(using: &random) ? "!" : "")originalhost \(name(&random))"
    case 4: return "Match user o* host \(name(&random))"
    case 5: return "Match final"
    case 6: return "Match !final host \(name(&random))"
    case 7: return "HostName \(["real", "%h.org", "Web-3"].randomElement(using: &random) ?? "")"
    case 8: return "User \(["ops", "dba"].randomElement(using: &random) ?? "")"
    case 9: return "Port \(Int.random(in: 1...4, using: &random))"
    case 10: return "IdentityFile /k\(Int.random(in: 1...4, using: &random))"
    case 11: return "ProxyJump \(["none", "a", "b,c"].randomElement(using: &random) ?? "")"
    case 12: return "ProxyCommand \(["none", "nc %h"].randomElement(using: &random) ?? "")"
    default: return "ConnectTimeout \(["none", "5", "6"].randomElement(using: &random) ?? "")"
    }
  }
}

/// Random numbers that are the same in every run.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }
}
