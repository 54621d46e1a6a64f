import Crypto
import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixAge

/// The vectors of the C2SP lie beside the repository and are no part of it; without them these tests
/// are skipped, and AgeFileTests alone prove the format.
private let folder = repository.appendingPathComponent("../shared/data/age/testdata").path
private let names =
  (try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()) ?? []

@Suite("the vectors of age", .enabled(if: !names.isEmpty))
struct VectorTests {
  @Test("come out as they say", arguments: names)
  func outcome(name: String) throws {
    let vector = try Vector(path: "\(folder)/\(name)")
    var released: [UInt8] = []
    let outcome = vector.run { released += $0 }
    #expect(outcome == vector.expected)
    guard let payload = vector.payload else { return }
    let digest = SHA256.hash(data: released).map { String(format: "%02x", $0) }.joined()
    #expect(digest == payload, "\(released.count) bytes were released")
  }

  @Test("are all there")
  func count() {
    #expect(names.count == 143)
  }
}

/// One of the vectors: what should come of it, the keys, and an age file.
private struct Vector {
  let expected: String
  let payload: String?
  private let file: [UInt8]
  private let form: AgeFile.Form
  private let identities: [any AgeIdentity]

  init(path: String) throws {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    let split = try #require(bytes.indices.first { bytes[$0...].starts(with: [0x0a, 0x0a]) })
    let head = String(decoding: bytes[..<split], as: UTF8.self).split(separator: "\n")
    var fields: [(key: String, value: String)] = []
    for line in head {
      let mark = try #require(line.range(of: ": "))
      fields.append((String(line[..<mark.lowerBound]), String(line[mark.upperBound...])))
    }
    func all(_ key: String) -> [String] { fields.filter { $0.key == key }.map(\.value) }
    expected = try #require(all("expect").first)
    payload = all("payload").first
    form = all("armored").isEmpty ? .binary : .armored
    let body = Array(bytes[(split + 2)...])
    file = all("compressed").isEmpty ? body : try inflated(path, from: split + 2)
    let keys = AgeKeys()
    identities =
      try all("identity").map { try keys.identity($0) }
      + all("passphrase").map { PassphraseIdentity(SecretValue($0)) }
  }

  func run(_ sink: @escaping ([UInt8]) -> Void) -> String {
    var rest = file[...]
    do {
      try AgeFile.decrypt(
        from: { memory in
          // Odd sizes, so that nothing depends on how reads fall.
          let count = min(memory.count, rest.count, 1013)
          memory.copyBytes(from: rest.prefix(count))
          rest = rest.dropFirst(count)
          return count
        }, to: { sink(Array($0)) }, with: identities, form: form)
      return "success"
    } catch let problem as AgeProblem {
      return problem.word
    } catch {
      return "\(error)"
    }
  }
}

extension AgeProblem {
  fileprivate var word: String {
    switch self {
    case .armor: "armor failure"
    case .header: "header failure"
    case .noMatch: "no match"
    case .hmac: "HMAC failure"
    case .payload: "payload failure"
    case .key(let words): "key: \(words)"
    }
  }
}

private func inflated(_ path: String, from offset: Int) throws -> [UInt8] {
  let target = FileManager.default.temporaryDirectory
    .appendingPathComponent("helix-vector-\(UUID().uuidString)")
  defer { try? FileManager.default.removeItem(at: target) }
  let script = """
    import sys, zlib
    data = open(sys.argv[1], "rb").read()[int(sys.argv[2]):]
    open(sys.argv[3], "wb").write(zlib.decompress(data))
    """
  let ran = try TestSupport.run("python3", ["-c", script, path, "\(offset)", target.path])
  try #require(ran.status == 0, "\(ran.all)")
  return [UInt8](try Data(contentsOf: target))
}
