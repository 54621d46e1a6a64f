import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite("when a file is packed, and how")
struct PackingTests {
  private func sample(_ level: Int, _ ratio: Double, _ rate: Double) -> Packing.Sample {
    Packing.Sample(level: level, ratio: ratio, rate: rate)
  }

  @Test("the slower of packing and line decides")
  func choice() {
    let text = [sample(1, 3.5, 120e6), sample(6, 4.5, 40e6)]
    let rest = 200_000_000
    #expect(Packing.level(line: 1e6, rest: rest, text) == 6)
    #expect(Packing.level(line: 20e6, rest: rest, text) == 1)
    #expect(Packing.level(line: 110e6, rest: rest, text) == nil)
    #expect(Packing.level(line: 1e9, rest: rest, text) == nil)
  }

  @Test("what does not pack, or is nearly there, travels as it is")
  func plain() {
    let program = [sample(1, 1.02, 40e6), sample(6, 1.03, 20e6)]
    #expect(Packing.level(line: 1e5, rest: 200_000_000, program) == nil)
    let text = [sample(1, 3.5, 120e6)]
    #expect(Packing.level(line: 10e6, rest: 1_000_000, text) == nil)
    #expect(Packing.level(line: 10e6, rest: 0, text) == nil)
    #expect(Packing.level(line: 0, rest: 100, text) == nil)
    #expect(Packing.level(line: 10e6, rest: 200_000_000, []) == nil)
  }

  @Test("members in a row are what gzip unpacks in a row", arguments: Packing.levels)
  func members(level: Int) throws {
    let folder = try ScratchFolder()
    let parts = [[], Array("hello\n".utf8), [UInt8](repeating: 7, count: 300_000)]
    let packed = parts.flatMap { Packing.gzip($0, level: level) }
    try Data(packed).write(to: URL(fileURLWithPath: folder.file("it.gz")))
    try runLocally("/usr/bin/gzip", "-d", folder.file("it.gz"))
    let unpacked = FileManager.default.contents(atPath: folder.file("it"))
    #expect(unpacked == Data(parts.flatMap { $0 }))
    #expect(packed.count < 2000)
  }

  @Test("what cannot be packed fits all the same")
  func noise() {
    var generator = SystemRandomNumberGenerator()
    let bytes = (0..<SharedFile.pieceSize).map { _ in UInt8.random(in: 0...255, using: &generator) }
    #expect(Packing.gzip(bytes, level: 6).count > bytes.count)
  }
}

@Suite("what transfers remember")
struct TransferStateTests {
  @Test("patience ends after tries that bring nothing, and is new after a block that got through")
  func patience() {
    var patience = Patience()
    let pauses = (0..<10).compactMap { _ in patience.pause() }
    #expect(pauses.first == .milliseconds(500))
    #expect(pauses == pauses.sorted() && pauses.count == 6)
    patience.see(blocks: 0)
    #expect(patience.pause() == nil)
    patience.see(blocks: 1)
    #expect(patience.pause() == .milliseconds(500))
    patience.see(blocks: 1)
    #expect(patience.pause() == .milliseconds(1000))
  }

  @Test("a host's words name programs, never commands of its own")
  func survey() {
    let survey = UploadSurvey(
      "summer openssl\nunpacker zstd\nblock aa\nblock bb\nunpacker reboot\n")
    #expect(survey.summer == "openssl dgst -sha256 -r")
    #expect(survey.unpacker == "zstd -dc")
    #expect(survey.blocks == ["aa", "bb"])
    #expect(UploadSurvey("noise\n\n").unpacker == nil)
  }

  @Test("a few pieces are kept, and one that is gone is read again")
  func keptPieces() async throws {
    let folder = try ScratchFolder()
    let size = 64 * SharedFile.pieceSize
    let path = try folder.write(String(repeating: "x", count: size), to: "file")
    let files = SharedFiles()
    let file = try await files.file(at: path)
    #expect(try await files.file(at: path) === file)
    for number in 0..<64 { _ = try await file.piece(number, level: nil) }
    #expect(await file.readCount == 64)
    _ = try await file.piece(60, level: nil)
    #expect(await file.readCount == 64)
    _ = try await file.piece(0, level: nil)
    #expect(await file.readCount == 66)
  }

  @Test("a file that was replaced is another file")
  func replaced() async throws {
    let folder = try ScratchFolder()
    let path = try folder.write("one", to: "file")
    let files = SharedFiles()
    let first = try await files.file(at: path)
    try folder.write("two", to: "file")
    let second = try await files.file(at: path)
    #expect(first !== second)
    #expect(try await second.piece(0, level: nil) == Array("two".utf8))
  }
}
