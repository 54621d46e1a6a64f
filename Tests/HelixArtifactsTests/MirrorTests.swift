import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixArtifacts

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

@Suite("mirrors")
struct MirrorTests {
  @Test("the plus of a release is written as %2B, and a last slash does not matter")
  func address() throws {
    for base in ["https://mirror.example/k3s", "https://mirror.example/k3s//"] {
      let file = try Mirror(base).address(of: "k3s-arm64", in: "v1.29.1+k3s2")
      #expect(
        file.url.absoluteString == "https://mirror.example/k3s/v1.29.1%2Bk3s2/k3s-arm64")
    }
  }

  @Test("user and password go to the mirror and into no message")
  func password() throws {
    let file = try Mirror("https://me:canary@mirror.example/k3s").address(of: "k3s", in: "v1")
    #expect(file.url.absoluteString == "https://me:canary@mirror.example/k3s/v1/k3s")
    #expect(file.shown == "https://mirror.example/k3s/v1/k3s")
    for failure in [TransferFailure.status(401), .status(404), .broken(URLError(.timedOut))] {
      let problem = Problem.transfer(failure, of: "k3s", from: file, into: "/cache/x")
      #expect(!"\(problem)".contains("canary"))
    }
  }

  @Test(
    "what is not a mirror's address is refused, without showing a password",
    arguments: [
      "", "mirror.example/k3s", "ftp://mirror.example", "file:///srv/k3s", "https://",
      "https://m.example/?a=b", "https://m.example/#a", "ftp://me:canary@m.example",
      "https://me:canary@/x",
    ])
  func refused(text: String) throws {
    let problem = try #require(throws: Diagnostic.self) { try Mirror(text) }
    #expect(problem.summary.hasSuffix("is not an address for release files"))
    #expect(!"\(problem)".contains("canary"))
  }

  @Test(
    "each way to fail has its reason and a way out",
    arguments: [
      (TransferFailure.status(404), "answered 404"), (.status(403), "who asks"),
      (.status(503), "trouble of its own"), (.status(302), "not encrypted"),
      (.broken(URLError(.cannotFindHost)), "no address"),
      (.broken(URLError(.cannotConnectToHost)), "nothing accepts"),
      (.broken(URLError(.timedOut)), "fell silent"),
      (.broken(URLError(.networkConnectionLost)), "broke off"),
      (.broken(URLError(.serverCertificateUntrusted)), "not trusted"),
    ])
  func reasons(failure: TransferFailure, words: String) throws {
    let file = try Mirror("https://mirror.example/k3s").address(of: "k3s", in: "v1")
    let problem = Problem.transfer(failure, of: "k3s", from: file, into: "/cache/x")
    #expect(problem.summary.contains("https://mirror.example/k3s/v1/k3s"))
    #expect(problem.reason?.contains(words) == true)
    #expect(problem.remedy?.contains("artifacts: { folder: DIR }") == true)
  }
}

@Suite("transfers", .timeLimit(.minutes(1)))
struct TransferTests {
  @Test("a transfer that is cancelled before it begins ends all the same")
  func cancelledBefore() async throws {
    let scratch = try ScratchFolder()
    let server = try ScratchServer { _ in Reply(delay: 20) }
    let url = try #require(URL(string: server.address))
    for _ in 0..<50 {
      let work = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await Transfer.fetch(
          url, into: "\(scratch.path)/file", silence: 30, limit: 100)
      }
      await #expect(throws: CancellationError.self) { try await work.value }
    }
  }

  @Test("a transfer that is cancelled at any moment ends soon")
  func cancelledAnyTime() async throws {
    let scratch = try ScratchFolder()
    let server = try ScratchServer { _ in Reply(body: [1, 2, 3], delay: 20) }
    let url = try #require(URL(string: server.address))
    for pause in 0..<50 {
      let work = Task {
        try await Transfer.fetch(
          url, into: "\(scratch.path)/file\(pause)", silence: 30, limit: 100)
      }
      try await Task.sleep(for: .microseconds(pause * 100))
      work.cancel()
      await #expect(throws: CancellationError.self) { try await work.value }
    }
  }
}
