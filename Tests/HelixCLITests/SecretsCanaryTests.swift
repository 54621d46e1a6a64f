import Foundation
import TestSupport
import Testing

@Suite("nothing shows what is secret")
struct SecretsCanaryTests {
  private static let canary = "canary-5ecre7-of-the-commands"

  @Test("plain text and keys are in no argument, environment, message, file or core of any command")
  func everyCommand() throws {
    let bench = try SecretsBench()
    let first = try bench.prepare()
    try bench.git("init", "-q")
    try bench.write("home\ntmp\nstdin\nage.key\nother.key\n", to: ".gitignore")
    let key = try #require(try bench.text("age.key").split(separator: "\n").last)
    let watches = [ProcessWatch(for: Self.canary), ProcessWatch(for: String(key))]
    let told = try runAll(bench, first)
    watches.forEach { $0.end() }
    #expect(watches.allSatisfy { $0.looks > 3 && $0.seen.isEmpty })
    for secret in [Self.canary, String(key)] {
      #expect(told.allSatisfy { !$0.all.contains(secret) })
      let found = try files(holding: secret, in: bench.folder, but: ["stdin", "age.key"])
      #expect(found.isEmpty, "\(found)")
      #expect(try files(holding: secret, in: URL(fileURLWithPath: "/dev/shm"), but: []).isEmpty)
    }
    #expect(try bench.text("home/cores") == "0\n")
  }

  /// Every command once, with plain text and keys in it; what they said but for `decrypt`.
  private func runAll(_ bench: SecretsBench, _ first: String) throws -> [Ran] {
    let file = "secrets/a.yaml"
    try bench.write("db: { password: \(Self.canary) }\n# \(Self.canary)\n", to: file)
    var told = [try bench.secrets("check"), try bench.secrets("encrypt", "-i", file)]
    told.append(try bench.secrets("set", file, #"["db"]["user"]"#, input: Self.canary))
    let editor = try bench.editor(
      #"ulimit -c >"$HOME/cores"; sed -i "s/db:/data:/" "$1""#)
    told.append(try bench.secrets("edit", file, with: editor))
    told.append(try bench.secrets("generate", "token", "--file", "secrets/b.sops.yaml"))
    let other = try bench.secrets("keygen", "-o", "other.key")
    told.append(other)
    let added = other.output.trimmingCharacters(in: .newlines)
    told.append(try bench.secrets("rotate", "--add-age", added, file))
    told.append(try bench.secrets("updatekeys", "-y", file))
    told.append(try bench.secrets("doctor", "--offline", file))
    told.append(try bench.secrets("check"))
    let wrong = ["decrypt", "--extract", #"["no"]"#, file]
    told.append(try bench.helix(["secrets"] + wrong))
    try bench.write(try bench.text(file) + "broken: [\n", to: "secrets/broken.yaml")
    told.append(try bench.secrets("decrypt", "secrets/broken.yaml"))
    let plain = try bench.secrets("decrypt", file)
    #expect(plain.output.contains(Self.canary), "the canary must be there, or this proves nothing")
    #expect(told.map(\.status) == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 91, 1], "\(told.map(\.all))")
    return told
  }

  private func files(
    holding text: String, in folder: URL, but excluded: [String]
  ) throws -> [String] {
    let exclusions = excluded.flatMap { ["--exclude-dir=\($0)", "--exclude=\($0)"] }
    return try run("/bin/grep", ["-rlF", text] + exclusions + [folder.path]).output
      .split(separator: "\n").map(String.init)
  }
}
