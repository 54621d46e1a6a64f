import Foundation
import HelixArtifacts
import HelixModel
import Synchronization
import TestSupport
import Testing

@Suite("release artifacts", .timeLimit(.minutes(1)))
struct ReleaseArtifactStoreTests {
  let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  // MARK: - Fetching

  @Test("a file is fetched once, verified, and needs no network afterwards")
  func fetchedOnce() async throws {
    let server = try ScratchServer { .file($0.path == listPath ? list() : binary, for: $0) }
    let path = try await store(server).file(of: k3s)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == binary)
    #expect(server.requests.map(\.path) == [listPath, filePath])
    #expect(try scratch.mode(of: "cache/sha256/\(sha256(binary))") == 0o644)
    server.stop()
    #expect(try await store(server).file(of: k3s) == path)
    #expect(try await store(server).checksum(of: k3s) == sha256(binary))
    #expect(server.requests.count == 2)
    #expect(!scratch.files(below: "cache").contains { $0.hasSuffix(".part") })
  }

  @Test("the file's own bytes are asked for, not compressed ones")
  func identity() async throws {
    let server = try ScratchServer { .file($0.path == listPath ? list() : binary, for: $0) }
    _ = try await store(server).file(of: k3s)
    #expect(server.requests.allSatisfy { $0.headers["accept-encoding"] == "identity" })
  }

  @Test("of many who want one file at once, one fetches it")
  func oneRequest() async throws {
    let server = try ScratchServer { request in
      var reply = Reply.file(request.path == listPath ? list() : binary, for: request)
      reply.delay = 0.2
      return reply
    }
    let store = try store(server)
    let paths = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<20 { group.addTask { try await store.file(of: k3s) } }
      return try await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
    #expect(paths.count == 1)
    #expect(server.requests.map(\.path) == [listPath, filePath])
  }

  @Test("runs that share a cache fetch a file once between them")
  func oneRequestOfTwoRuns() async throws {
    let server = try ScratchServer { request in
      var reply = Reply.file(request.path == listPath ? list() : binary, for: request)
      reply.delay = 0.3
      return reply
    }
    let (first, second) = (try store(server), try store(server))
    async let one = first.file(of: k3s)
    async let two = second.file(of: k3s)
    #expect(try await one == two)
    #expect(server.requests.filter { $0.path == filePath }.count == 1)
  }

  @Test("a server that python wrote serves as well as our own")
  func independentServer() async throws {
    try #require(FileManager.default.isExecutableFile(atPath: "/usr/bin/python3"))
    try scratch.write(binary, to: "mirror/v1.29.1+k3s2/k3s")
    try scratch.write(list(), to: "mirror/v1.29.1+k3s2/sha256sum-amd64.txt")
    let server = try PythonServer(folder: "\(scratch.path)/mirror")
    let store = try ReleaseArtifactStore(
      origin: .mirror(server.address), cache: "\(scratch.path)/cache")
    let path = try await store.file(of: k3s)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == binary)
  }

  // MARK: - Broken transfers

  @Test("a connection that breaks off is taken up where it stopped")
  func resumed() async throws {
    let server = try ScratchServer { request in
      if request.path == listPath { return .file(list(), for: request) }
      var reply = Reply.file(binary, for: request)
      if request.start == 0 { reply.sent = 100_000 }
      return reply
    }
    let path = try await store(server).file(of: k3s)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == binary)
    #expect(server.requests.filter { $0.path == filePath }.map(\.start) == [0, 100_000])
  }

  @Test("a server that brings nothing more is given up, and the next run goes on")
  func resumedLater() async throws {
    let isWell = Atomic(false)
    let server = try ScratchServer { request in
      if request.path == listPath { return .file(list(), for: request) }
      var reply = Reply.file(binary, for: request)
      if !isWell.load(ordering: .relaxed) { reply.sent = request.start == 0 ? 1000 : 0 }
      return reply
    }
    let problem = try await refusal { try await store(server).file(of: k3s) }
    #expect(problem.remedy?.contains("it goes on where it stopped") == true)
    isWell.store(true, ordering: .relaxed)
    let path = try await store(server).file(of: k3s)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == binary)
    #expect(server.requests.last?.start == 1000)
  }

  @Test("a server that does not know ranges begins anew", arguments: [200, 416])
  func noRanges(status: Int) async throws {
    let server = try ScratchServer { request in
      if request.path == listPath { return .file(list(), for: request) }
      if status == 416, request.start != 0 { return Reply(status: "416 Range Not Satisfiable") }
      return Reply(body: Array(binary.utf8))
    }
    try scratch.write(String(binary.prefix(5000)), to: "cache/sha256/\(sha256(binary)).part")
    let path = try await store(server).file(of: k3s)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == binary)
  }

  @Test("a part of some other file is found out, and the file fetched whole")
  func foreignPart() async throws {
    let server = try ScratchServer { .file($0.path == listPath ? list() : binary, for: $0) }
    try scratch.write(
      String(repeating: "x", count: 5000), to: "cache/sha256/\(sha256(binary)).part")
    let path = try await store(server).file(of: k3s)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == binary)
    #expect(server.requests.map(\.start) == [nil, 5000, 0])
  }

  @Test("a part that was whole already is not fetched")
  func wholePart() async throws {
    let server = try ScratchServer { .file($0.path == listPath ? list() : binary, for: $0) }
    try scratch.write(binary, to: "cache/sha256/\(sha256(binary)).part")
    _ = try await store(server).file(of: k3s)
    #expect(server.requests.map(\.path) == [listPath])
  }

  @Test("a large file is asked for in pieces", arguments: [0, 1])
  func pieces(excess: Int) async throws {
    let large =
      String(repeating: "0123456789abcdef", count: 2 << 21) + String(binary.prefix(excess))
    let server = try ScratchServer { .file($0.path == listPath ? list(large) : large, for: $0) }
    _ = try await store(server).file(of: k3s)
    let starts = server.requests.filter { $0.path == filePath }.map(\.start)
    #expect(starts == Array([0, 32 << 20, 64 << 20].prefix(2 + excess)))
  }

  @Test("a server that does not tell the file's length is asked until a piece is short")
  func noTotal() async throws {
    let server = try ScratchServer { request in
      var reply = Reply.file(request.path == listPath ? list() : binary, for: request)
      reply.headers = reply.headers.map { $0.replacing(/\/[0-9]+$/, with: "/*") }
      return reply
    }
    let path = try await store(server).file(of: k3s)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == binary)
  }

  @Test("a slow server is waited for as long as it says something")
  func slow() async throws {
    let text = String(repeating: "slow", count: 20)
    let server = try ScratchServer { request in
      var reply = Reply.file(request.path == listPath ? list(text) : text, for: request)
      if request.path == filePath { reply.drip = (size: 10, pause: 0.3) }
      return reply
    }
    let path = try await store(server, silence: 1).file(of: k3s)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
  }

  @Test("a silent server is given up")
  func silent() async throws {
    let server = try ScratchServer { request in
      var reply = Reply.file(list(), for: request)
      reply.delay = 4
      return reply
    }
    let problem = try await refusal { try await store(server, silence: 1).checksum(of: k3s) }
    #expect(problem.reason == "the server fell silent")
  }

  @Test("nothing listens: the diagnostic names the address and the way without network")
  func refusedConnection() async throws {
    let server = try ScratchServer { _ in Reply() }
    server.stop()
    try await Task.sleep(for: .milliseconds(100))
    let problem = try await refusal { try await store(server).checksum(of: k3s) }
    #expect(problem.summary == "\(server.address)\(listPath) cannot be fetched")
    #expect(problem.reason == "nothing accepts the connection")
    #expect(problem.remedy?.contains("artifacts: { folder: DIR }") == true)
  }

  @Test("a cancelled caller does not wait, and what came is kept")
  func cancelled() async throws {
    let server = try ScratchServer { request in
      var reply = Reply.file(request.path == listPath ? list() : binary, for: request)
      if request.path == filePath { reply.drip = (size: 1000, pause: 0.2) }
      return reply
    }
    let store = try store(server)
    let work = Task { try await store.file(of: k3s) }
    try await until { server.requests.count == 2 }
    try await Task.sleep(for: .milliseconds(500))
    work.cancel()
    await #expect(throws: CancellationError.self) { try await work.value }
    #expect(scratch.files(below: "cache/sha256") == ["\(sha256(binary)).part"])
  }

  @Test("one caller's cancellation does not take the file from the others")
  func cancelledBeside() async throws {
    let server = try ScratchServer { request in
      var reply = Reply.file(request.path == listPath ? list() : binary, for: request)
      reply.delay = 0.3
      return reply
    }
    let store = try store(server)
    let one = Task { try await store.file(of: k3s) }
    let other = Task { try await store.file(of: k3s) }
    try await until { server.requests.count == 2 }
    one.cancel()
    _ = try await other.value
    #expect(server.requests.count == 2)
  }

  // MARK: - Wrong answers

  @Test("a file with another checksum is refused, named, and not kept")
  func corrupted() async throws {
    let server = try ScratchServer { .file($0.path == listPath ? list() : "evil", for: $0) }
    let problem = try await refusal { try await store(server).file(of: k3s) }
    #expect(
      problem.summary == "k3s of v1.29.1+k3s2 is not the file that the release lists")
    let reason = try #require(problem.reason)
    for part in [sha256(binary), sha256("evil"), "\(server.address)\(filePath)"] {
      #expect(reason.contains(part))
    }
    #expect(scratch.files(below: "cache/sha256").isEmpty)
    let kept = try #require(scratch.files(below: "cache/releases").first)
    #expect(problem.remedy?.contains(kept) == true)
  }

  @Test("a cached file that was damaged is fetched anew")
  func damagedCache() async throws {
    let server = try ScratchServer { .file($0.path == listPath ? list() : binary, for: $0) }
    try scratch.write("damaged", to: "cache/sha256/\(sha256(binary))")
    let path = try await store(server).file(of: k3s)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == binary)
  }

  @Test("a missing file is told with its address, and its page is not taken for it")
  func missing() async throws {
    let server = try ScratchServer { request in
      request.path == listPath
        ? .file(list(), for: request)
        : Reply(status: "404 Not Found", body: Array("no such thing".utf8))
    }
    let problem = try await refusal { try await store(server).file(of: k3s) }
    #expect(problem.summary == "there is no \(server.address)\(filePath)")
    #expect(!scratch.files(below: "cache/sha256").contains(sha256(binary)))
  }

  @Test("a page in place of a list is refused and not kept")
  func pageForList() async throws {
    let server = try ScratchServer { .file("<html>\n", for: $0) }
    let problem = try await refusal { try await store(server).checksum(of: k3s) }
    #expect(problem.summary == "\(server.address)\(listPath) is not a list of checksums")
    #expect(scratch.files(below: "cache").isEmpty)
  }

  @Test("a list that goes on and on is refused")
  func endlessList() async throws {
    let server = try ScratchServer {
      .file(String(repeating: "x", count: 2 << 20), for: $0)
    }
    let problem = try await refusal { try await store(server).checksum(of: k3s) }
    #expect(problem.summary.contains("is larger than 1048576 bytes"))
    #expect(scratch.files(below: "cache").isEmpty)
  }

  @Test("a file that the list does not name gets the nearest name")
  func notListed() async throws {
    let server = try ScratchServer { .file("\(sha256("x"))  k3s-arm64\n", for: $0) }
    let reference = ArtifactReference(
      release: k3s.release, file: "k3s-arm46", checksums: k3s.checksums)
    let problem = try await refusal { try await store(server).checksum(of: reference) }
    #expect(problem.summary == "v1.29.1+k3s2 lists no file \"k3s-arm46\"")
    #expect(problem.remedy == "did you mean \"k3s-arm64\"?")
  }

  // MARK: - Cached lists

  @Test(
    "a cached list that is cut or lacks the file is fetched anew",
    arguments: ["", "cut", "\(sha256("x"))  another\n"])
  func badCachedList(text: String) async throws {
    let server = try ScratchServer { .file(list(), for: $0) }
    _ = try await store(server).checksum(of: k3s)
    let kept = try #require(scratch.files(below: "cache/releases").first)
    try scratch.write(text, to: "cache/releases/\(kept)")
    #expect(try await store(server).checksum(of: k3s) == sha256(binary))
    #expect(server.requests.count == 2)
  }

  @Test("two mirrors with one tag do not share their lists")
  func twoMirrors() async throws {
    let real = try ScratchServer { .file(list(), for: $0) }
    let rebuilt = try ScratchServer { .file(list("rebuilt"), for: $0) }
    #expect(try await store(real).checksum(of: k3s) == sha256(binary))
    #expect(try await store(rebuilt).checksum(of: k3s) == sha256("rebuilt"))
  }

  @Test("names that lead out of the cache are refused", arguments: ["../x", "a/b", "", ".x"])
  func names(name: String) async throws {
    let server = try ScratchServer { .file(list(), for: $0) }
    for reference in [
      ArtifactReference(release: name, file: "k3s", checksums: "l"),
      ArtifactReference(release: "v1", file: name, checksums: "l"),
      ArtifactReference(release: "v1", file: "k3s", checksums: name),
    ] {
      _ = try await refusal { try await store(server).checksum(of: reference) }
    }
    #expect(server.requests.isEmpty)
  }

  // MARK: - Helpers

  private func store(_ server: ScratchServer, silence: Int = 10) throws -> ReleaseArtifactStore {
    try ReleaseArtifactStore(
      origin: .mirror(server.address), cache: "\(scratch.path)/cache", silence: silence)
  }
}
