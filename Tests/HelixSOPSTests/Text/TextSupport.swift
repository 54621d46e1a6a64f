import Foundation
import HelixModel
import TestSupport

@testable import HelixSOPS

/// Published files of many projects, beside the repository when they are there.
enum PublishedFiles {
  static let folder = repository.appendingPathComponent("../shared/data/sops")

  static let isPresent = FileManager.default.fileExists(
    atPath: folder.appendingPathComponent("manifest.json").path)

  struct File {
    var name: String
    var bytes: [UInt8]
    var format: SOPSFormat { SOPSFormat(path: name) }
  }

  static func files(in part: String) -> [File] {
    let place = folder.appendingPathComponent(part)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
    return names.sorted().compactMap { name in
      guard !name.hasSuffix("manifest.json"), name != "README",
        let data = FileManager.default.contents(atPath: place.appendingPathComponent(name).path)
      else { return nil }
      return File(name: name, bytes: Array(data))
    }
  }
}

extension SOPSText {
  static func parse(_ text: String, _ format: SOPSFormat = .yaml) throws -> SOPSText {
    try parse(Array(text.utf8), format: format, file: "secrets")
  }

  func replacing(
    _ edits: [Int: Replacement], keeping metadata: MetadataValue?
  ) throws -> String {
    String(decoding: try replacing(edits, metadata: metadata), as: UTF8.self)
  }

  /// Places and values without comments, for comparing two texts.
  var typed: [String] {
    items.compactMap { item in
      if case .comment = item.value { return nil }
      return "\(item.document) \(item.place) \(item.value)"
    }
  }
}

/// Ciphertext as SOPS writes it, of made-up bytes.
func ciphertext(_ number: Int, type: String = "str") -> String {
  "ENC[AES256_GCM,data:c2VjcmV0\(number),iv:2+/=,tag:dGFn==,type:\(type)]"
}
