import Crypto
import Foundation
import TestSupport
import Testing

@testable import HelixAge

/// The benchmark Benchmarks/age-speed does the same with a gigabyte.
@Suite("large files")
struct LargeFileTests {
  private static let size = 128 << 20
  private static let mostKiB = 32 << 10

  @Test("pass through in little memory")
  func memory() throws {
    let folder = try Folder()
    let pair = try keys.identities("classic.txt")[0].recipients[0]
    try write(to: folder.path("plain"))
    let sealed = try Self.ageSpeed(
      ["encrypt", pair, folder.path("plain"), folder.path("sealed")])
    let opened = try Self.ageSpeed(
      [
        "decrypt", fixtures.appendingPathComponent("classic.txt").path, folder.path("sealed"),
        folder.path("opened"),
      ])
    #expect(sealed < Self.mostKiB)
    #expect(opened < Self.mostKiB)
    let same = try run("cmp", [folder.path("plain"), folder.path("opened")])
    #expect(same.status == 0, "\(same.all)")
  }

  /// The most memory in KiB that a run took.
  private static func ageSpeed(_ arguments: [String]) throws -> Int {
    let program = Bundle.main.bundleURL.appendingPathComponent("age-speed")
    let built = repository.appendingPathComponent(".build/debug/age-speed")
    let path = FileManager.default.fileExists(atPath: program.path) ? program : built
    let ran = try run(path.path, arguments)
    try #require(ran.status == 0, "\(ran.all)")
    return try #require(Int(ran.output.split(separator: " ")[1]))
  }

  private func write(to path: String) throws {
    try Data().write(to: URL(fileURLWithPath: path))
    let file = try #require(FileHandle(forWritingAtPath: path))
    defer { try? file.close() }
    let block = pattern(1 << 20)
    for number in 0..<(Self.size >> 20) {
      // Every block differs, so that one in the wrong place shows.
      file.write(Data(withUnsafeBytes(of: number) { Array($0) } + block[8...]))
    }
  }
}
