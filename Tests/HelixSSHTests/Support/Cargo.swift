import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

/// A file to send, and where on the "host" it should arrive.
struct Cargo: Sendable {
  let folder: ScratchFolder
  let source: String
  let destination: String
  let sum: String
  let bytes: Data

  init(_ bytes: Data) throws {
    folder = try ScratchFolder()
    self.bytes = bytes
    source = folder.file("source")
    destination = folder.file("there/it's here.part")
    try bytes.write(to: URL(fileURLWithPath: source))
    sum = String(try runLocally("/usr/bin/sha256sum", source).prefix(64))
  }

  /// Bytes that do not pack, different each time.
  init(random count: Int) throws {
    let noise = try #require(FileHandle(forReadingAtPath: "/dev/urandom"))
    try self.init(noise.read(upToCount: count) ?? Data())
  }

  /// Lines that pack well.
  init(lines count: Int) throws {
    let lines = (0..<1000).map { "level=info msg=\"reconciled object \($0)\" controller=node\n" }
    var bytes = Data()
    for _ in 0..<count / 1000 { bytes += Data(lines.joined().utf8) }
    try self.init(bytes)
  }

  func transfer(
    sha256: String? = nil, become: Become = .never, timeout: Duration = .seconds(60),
    progress: @escaping @Sendable (FileTransfer.Progress) -> Void = { _ in }
  ) -> FileTransfer {
    FileTransfer(
      source: source, destination: destination, sha256: sha256 ?? sum, become: become,
      timeout: timeout, progress: progress)
  }

  /// What stands at the destination; nil for nothing.
  var arrived: Data? { FileManager.default.contents(atPath: destination) }

  /// Puts something at the destination.
  func leave(_ bytes: Data) throws {
    try FileManager.default.createDirectory(
      atPath: folder.file("there"), withIntermediateDirectories: true)
    try bytes.write(to: URL(fileURLWithPath: destination))
  }

  /// All names beside the destination.
  var namesThere: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder.file("there")).sorted()) ?? []
  }
}
