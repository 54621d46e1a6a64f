import Foundation
import HelixModel
import HelixSSH
import Synchronization
import TestSupport
import Testing

@testable import HelixAge

let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("Fixtures")

func fixture(_ name: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: fixtures.appendingPathComponent(name)))
}

func fixtureText(_ name: String) throws -> String {
  String(decoding: try fixture(name), as: UTF8.self).trimmingCharacters(in: .newlines)
}

/// Reads keys without asking anybody.
let keys = AgeKeys(ssh: EncryptionKeys())

/// Gives passphrases, and counts how often it was asked.
final class Asked: Sendable {
  private let answers: [String?]
  private let count = Mutex(0)

  init(_ answers: String?...) { self.answers = answers }

  var times: Int { count.withLock { $0 } }

  var keys: AgeKeys {
    AgeKeys(ssh: EncryptionKeys()) { _ in
      let time = self.count.withLock { count in
        count += 1
        return count
      }
      return self.answers[min(time, self.answers.count) - 1].map { SecretValue($0) }
    }
  }
}

extension AgeKeys {
  /// The identities in a file of the fixtures.
  func identities(_ name: String, publicKey: String? = nil) throws -> [any AgeIdentity] {
    try identities(in: SecretValue(try fixture(name)), path: name, publicKey: publicKey)
  }
}

/// Bytes that look like chance and are the same every time.
func pattern(_ count: Int) -> [UInt8] {
  var word: UInt32 = 1
  return (0..<count).map { _ in
    word = word &* 1_664_525 &+ 1_013_904_223
    return UInt8(truncatingIfNeeded: word >> 24)
  }
}

/// A folder of a test's own.
final class Folder {
  let url = FileManager.default.temporaryDirectory
    .appendingPathComponent("helix-age-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: url.appendingPathComponent(name))
  }

  func read(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: url.appendingPathComponent(name)))
  }
}
