import Foundation
import HelixArtifacts
import HelixModel
import TestSupport
import Testing

@Suite("a folder of artifacts")
struct FolderOriginTests {
  let scratch: ScratchFolder
  let store: ReleaseArtifactStore

  init() throws {
    scratch = try ScratchFolder()
    store = try ReleaseArtifactStore(
      origin: .folder("\(scratch.path)/airgap"), cache: "\(scratch.path)/cache")
  }

  @Test("its files are verified and used where they are")
  func used() async throws {
    let file = try scratch.write(binary, to: "airgap/v1.29.1+k3s2/k3s")
    try scratch.write(list(), to: "airgap/v1.29.1+k3s2/sha256sum-amd64.txt")
    #expect(try await store.checksum(of: k3s) == sha256(binary))
    #expect(try await store.file(of: k3s) == file)
    #expect(!FileManager.default.fileExists(atPath: "\(scratch.path)/cache"))
  }

  @Test("what is missing is named with its path")
  func missing() async throws {
    let noList = try await refusal { try await store.file(of: k3s) }
    #expect(noList.summary.hasSuffix("airgap/v1.29.1+k3s2/sha256sum-amd64.txt"))
    try scratch.write(list(), to: "airgap/v1.29.1+k3s2/sha256sum-amd64.txt")
    let noFile = try await refusal { try await store.file(of: k3s) }
    #expect(noFile.summary.hasSuffix("airgap/v1.29.1+k3s2/k3s"))
  }

  @Test("a file with another checksum is refused and left alone")
  func wrong() async throws {
    let file = try scratch.write("evil", to: "airgap/v1.29.1+k3s2/k3s")
    try scratch.write(list(), to: "airgap/v1.29.1+k3s2/sha256sum-amd64.txt")
    let problem = try await refusal { try await store.file(of: k3s) }
    #expect(problem.reason == "expected sha256 \(sha256(binary)), got \(sha256("evil"))")
    #expect(FileManager.default.fileExists(atPath: file))
  }
}

@Suite("the cache's folder")
struct DefaultCacheTests {
  @Test(
    "it is where XDG has caches",
    arguments: [
      (["XDG_CACHE_HOME": "/var/cache/me", "HOME": "/h"], "/var/cache/me"),
      (["HOME": "/h"], "/h/.cache"), (["XDG_CACHE_HOME": "", "HOME": "/h"], "/h/.cache"),
      (["XDG_CACHE_HOME": "relative", "HOME": "/h"], "/h/.cache"),
    ])
  func folder(environment: [String: String], base: String) {
    #expect(
      ReleaseArtifactStore.defaultCache(environment: environment)
        == "\(base)/helix-infra/artifacts")
  }
}
