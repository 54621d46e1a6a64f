import Crypto
import Foundation
import HelixModel
import Testing

/// The file that most tests ask for.
let k3s = ArtifactReference(
  release: "v1.29.1+k3s2", file: "k3s", checksums: "sha256sum-amd64.txt")
/// What it holds.
let binary = (0..<40_000).map { "line \($0)\n" }.joined()
/// How its list is asked for over HTTP.
let listPath = "/v1.29.1%2Bk3s2/sha256sum-amd64.txt"
/// How it is asked for over HTTP.
let filePath = "/v1.29.1%2Bk3s2/k3s"

/// The checksum that a list should give.
func sha256(_ text: String) -> String {
  SHA256.hash(data: Array(text.utf8)).map { String(format: "%02x", $0) }.joined()
}

/// A list that names the file with the sum of a text.
func list(_ text: String = binary) -> String { "\(sha256(text))  k3s\n" }

/// The diagnostic that something ends with.
func refusal(
  _ work: () async throws -> String,
  sourceLocation: Testing.SourceLocation = #_sourceLocation
) async throws -> Diagnostic {
  try await #require(throws: Diagnostic.self, sourceLocation: sourceLocation) {
    try await work()
  }
}

/// Waits a while for something to be so.
func until(_ isSo: () -> Bool) async throws {
  for _ in 0..<6000 where !isSo() { try await Task.sleep(for: .milliseconds(10)) }
  try #require(isSo())
}
