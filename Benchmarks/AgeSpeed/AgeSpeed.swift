import Foundation
import HelixAge
import HelixModel

/// Encrypts or decrypts one file with HelixAge and says what memory that took, for
/// Benchmarks/age-speed and for tests.
@main
struct AgeSpeed {
  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
      print("peak \(peak()) KiB")
    } catch {
      let words = (error as? AgeProblem)?.reason ?? "\(error)"
      FileHandle.standardError.write(Data("age-speed: \(words)\n".utf8))
      exit(1)
    }
  }

  private static func run(_ words: [String]) throws {
    guard words.count >= 4 else { throw Usage() }
    let source = open(words[2], O_RDONLY | O_CLOEXEC)
    let target = open(words[3], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard source >= 0, target >= 0 else { throw Usage() }
    defer {
      close(source)
      close(target)
    }
    switch words[0] {
    case "encrypt":
      try AgeFile.encrypt(
        from: AgeFile.source(source), to: AgeFile.sink(target),
        for: [AgeKeys().recipient(words[1])], armored: words.dropFirst(4).contains("armored"))
    case "decrypt":
      let keys = try Data(contentsOf: URL(fileURLWithPath: words[1]))
      try AgeFile.decrypt(
        from: AgeFile.source(source), to: AgeFile.sink(target),
        with: AgeKeys().identities(in: SecretValue([UInt8](keys)), path: words[1]))
    default: throw Usage()
    }
  }

  private struct Usage: Error, CustomStringConvertible {
    let description =
      "usage: age-speed encrypt RECIPIENT FROM TO [armored] | age-speed decrypt KEYFILE FROM TO"
  }

  /// The most memory the process had at a time.
  private static func peak() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0
  }
}
