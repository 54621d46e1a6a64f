import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

private let mebibyte = 1024 * 1024
private let block = SharedFile.blockSize

@Suite(
  "files on their way to a real sshd", .tags(.live),
  .enabled(if: SSHServer.isAvailable, "sshd is not installed"), .timeLimit(.minutes(2)))
struct UploadTests {
  private func send(_ transfer: FileTransfer, to server: SSHServer) async throws {
    try await send(transfer, to: server.host(), server)
  }

  private func send(
    _ transfer: FileTransfer, to host: HelixModel.Host, _ server: SSHServer
  ) async throws {
    let provider = SSHShellProvider(local: server.local)
    do {
      try await provider.shell(to: host).send(transfer)
      await provider.closeAll()
    } catch {
      await provider.closeAll()
      throw error
    }
  }

  /// A server that finds only some of this machine's programs, and whatever else is in the folder.
  private func server(
    with programs: [String], in folder: ScratchFolder
  ) throws -> SSHServer {
    for program in programs {
      try FileManager.default.createSymbolicLink(
        atPath: folder.file(program), withDestinationPath: "/usr/bin/\(program)")
    }
    return try SSHServer(environment: ["PATH=\(folder.path)"])
  }

  private let needed = ["cat", "cp", "dd", "mkdir", "mv", "rm", "sh", "sha256sum", "wc"]

  @Test(
    "a file arrives whole, into folders that were not there",
    arguments: [0, 1, block - 1, block, block + 1, 3 * block + 4711])
  func whole(size: Int) async throws {
    let cargo = try Cargo(random: size)
    try await send(cargo.transfer(), to: try SSHServer())
    #expect(cargo.arrived == cargo.bytes)
    #expect(cargo.namesThere == ["it's here.part"])
    let mode = try FileManager.default.attributesOfItem(atPath: cargo.destination)[
      .posixPermissions]
    #expect(mode as? Int == 0o600)
  }

  /// sshd holds at most a window of 2 MiB that the host has not written yet, so that a block is
  /// surely whole there when 3 MiB more have passed.
  @Test(
    "a transfer that is cut goes on behind the last whole block",
    arguments: [300_000, block + 3 * mebibyte, 2 * block + 3 * mebibyte, 3 * block + 3 * mebibyte])
  func resumed(cut: Int) async throws {
    let cargo = try Cargo(random: 4 * block + 77)
    let server = try SSHServer()
    let relay = try Relay(to: server) { $0 == 0 ? .init(cutAfter: cut) : .init() }
    defer { relay.stop() }
    try await send(cargo.transfer(), to: relay.host(server), server)
    #expect(cargo.arrived == cargo.bytes)
    #expect(relay.passed.count == 2)
    let rest = cargo.bytes.count - cut / block * block
    #expect((rest...rest + 300_000).contains(relay.passed[1]), "\(relay.passed), \(rest)")
  }

  @Test("a transfer that is cut again and again gets there as long as it gets on")
  func cutOften() async throws {
    let cargo = try Cargo(random: 3 * block)
    let server = try SSHServer()
    let relay = try Relay(to: server) {
      $0 < 3 ? .init(cutAfter: block + mebibyte) : .init()
    }
    defer { relay.stop() }
    try await send(cargo.transfer(), to: relay.host(server), server)
    #expect(cargo.arrived == cargo.bytes)
    #expect(relay.passed.count >= 3)
  }

  @Test("what an earlier run left is gone on with")
  func leftover() async throws {
    let cargo = try Cargo(random: 3 * block + 5)
    try cargo.leave(cargo.bytes.prefix(2 * block + 1000))
    let server = try SSHServer()
    let relay = try Relay(to: server) { _ in .init() }
    defer { relay.stop() }
    try await send(cargo.transfer(), to: relay.host(server), server)
    #expect(cargo.arrived == cargo.bytes)
    #expect(relay.passed[0] < block + 300_000)
  }

  @Test("garbage, a longer file, lost blocks in the middle: what is no beginning is replaced")
  func noBeginning() async throws {
    let cargo = try Cargo(random: 2 * block + 5)
    let server = try SSHServer()
    let lost = cargo.bytes.prefix(block) + Data(count: block) + cargo.bytes.suffix(5)
    for left in [Data("garbage".utf8), Data(count: 3 * block), cargo.bytes + Data(count: 9), lost] {
      try cargo.leave(left)
      try await send(cargo.transfer(), to: server)
      #expect(cargo.arrived == cargo.bytes)
    }
    #expect(cargo.namesThere == ["it's here.part"])
  }

  @Test("whoever still writes to what an earlier connection left writes to nothing")
  func deadReceiver() async throws {
    let cargo = try Cargo(random: 4 * block)
    try cargo.leave(cargo.bytes.prefix(block + 99))
    let stale = try #require(FileHandle(forWritingAtPath: cargo.destination))
    try stale.seekToEnd()
    let server = try SSHServer()
    try await send(
      cargo.transfer { _ in try? stale.write(contentsOf: Data("stale".utf8)) }, to: server)
    #expect(cargo.arrived == cargo.bytes)
  }

  @Test("progress only rises, and ends at the whole")
  func progress() async throws {
    let cargo = try Cargo(random: 5 * block)
    let server = try SSHServer()
    let relay = try Relay(to: server) {
      $0 == 0 ? .init(cutAfter: 3 * block, rate: 30e6) : .init()
    }
    defer { relay.stop() }
    let seen = Lock<[FileTransfer.Progress]>([])
    try await send(
      cargo.transfer { progress in seen.withLock { $0.append(progress) } },
      to: relay.host(server), server)
    let sent = seen.withLock { $0 }.map(\.sent)
    #expect(sent == sent.sorted())
    #expect(Set(sent).count == sent.count)
    #expect(sent.last == cargo.bytes.count)
    #expect(sent.count > 2)
  }

  @Test("a file that is not the one asked for is told from one that arrived damaged")
  func wrongChecksum() async throws {
    let cargo = try Cargo(random: block + 1)
    let wrong = String(repeating: "0", count: 64)
    let server = try SSHServer()
    let unexpected = await #expect(throws: Diagnostic.self) {
      try await send(cargo.transfer(sha256: wrong), to: server)
    }
    #expect(unexpected?.summary == "\(cargo.source) is not the file it should be")
    #expect(cargo.namesThere == [])
    let folder = try ScratchFolder()
    try folder.program("#!/bin/sh\n/bin/cat | tr a b\n", "cat")
    let spoiling = try SSHServer(environment: ["PATH=\(folder.path):/usr/bin:/bin"])
    let damaged = await #expect(throws: Diagnostic.self) {
      try await send(cargo.transfer(), to: spoiling)
    }
    #expect(damaged?.summary == "\(cargo.destination) arrived damaged")
    #expect(cargo.namesThere == [])
  }

  @Test("a source that is missing, a folder or a pipe is found before anything is sent")
  func noSource() async throws {
    let cargo = try Cargo(random: 1)
    let server = try SSHServer()
    let pipe = cargo.folder.file("pipe")
    mkfifo(pipe, 0o600)
    for path in ["/no/such/file", cargo.folder.path, pipe] {
      var transfer = cargo.transfer()
      transfer.source = path
      let error = await #expect(throws: Diagnostic.self) { try await send(transfer, to: server) }
      #expect(error?.summary == "cannot read \(path)")
    }
    #expect(cargo.namesThere == [])
  }

  @Test("a source that changes meanwhile is an error")
  func changedSource() async throws {
    let cargo = try Cargo(random: 6 * block)
    let error = await #expect(throws: Diagnostic.self) {
      try await send(
        cargo.transfer { _ in
          let source = FileHandle(forWritingAtPath: cargo.source)
          try? source?.write(contentsOf: Data("other".utf8))
        }, to: try SSHServer())
    }
    #expect(error?.summary == "\(cargo.source) changed while it was being sent")
  }

  @Test("a folder in the way, and a place where nobody may write, are named")
  func badDestination() async throws {
    let cargo = try Cargo(random: 10)
    let server = try SSHServer()
    var transfer = cargo.transfer()
    transfer.destination = cargo.folder.path
    let folder = await #expect(throws: Diagnostic.self) { try await send(transfer, to: server) }
    #expect(folder?.reason == "\(cargo.folder.path) is a folder")
    transfer.destination = "/proc/helix/part"
    let refused = await #expect(throws: Diagnostic.self) { try await send(transfer, to: server) }
    #expect(refused?.summary == "could not write /proc/helix/part")
  }

  @Test(
    "a full disk is named, and nothing is left on it",
    .enabled(if: geteuid() == 0, "only root can make a small disk"))
  func fullDisk() async throws {
    let cargo = try Cargo(random: 3 * block)
    try cargo.leave(Data())
    let place = cargo.folder.file("there")
    try runLocally("/usr/bin/mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", place)
    defer { _ = try? runLocally("/usr/bin/umount", place) }
    let server = try SSHServer()
    let error = await #expect(throws: Diagnostic.self) {
      try await send(cargo.transfer(), to: server)
    }
    #expect(error?.summary == "could not write \(cargo.destination)")
    #expect(error?.reason?.contains("No space left on device") == true)
    #expect(error?.remedy == "make room on the host's disk, then run it again")
    #expect(cargo.namesThere == [])
  }

  @Test("without time it ends, and the next run goes on")
  func outOfTime() async throws {
    let cargo = try Cargo(random: 3 * block)
    let server = try SSHServer()
    let relay = try Relay(to: server) { $0 == 0 ? .init(rate: 6e6) : .init() }
    defer { relay.stop() }
    let error = await #expect(throws: Diagnostic.self) {
      try await send(cargo.transfer(timeout: .seconds(1)), to: relay.host(server), server)
    }
    #expect(error?.summary == "sending \(cargo.destination) took longer than 1 s")
    try await send(cargo.transfer(), to: server)
    #expect(cargo.arrived == cargo.bytes)
  }

  @Test("another user writes it, by sudo")
  func sudo() async throws {
    let folder = try ScratchFolder()
    try folder.program(
      "#!/bin/sh\n[ \"$1 $2 $3 $4\" = '-n -u other --' ] && shift 4 && exec \"$@\"\n", "sudo")
    let server = try SSHServer(environment: ["PATH=\(folder.path):/usr/bin:/bin"])
    let cargo = try Cargo(random: block + 3)
    try await send(cargo.transfer(become: .user("other")), to: server)
    #expect(cargo.arrived == cargo.bytes)
    try folder.program(
      "#!/bin/sh\necho 'sudo: a password is required' >&2; exit 1\n", "sudo")
    let error = await #expect(throws: Diagnostic.self) {
      try await send(cargo.transfer(become: .user("other")), to: server)
    }
    #expect(error?.summary.hasPrefix("sudo wants a password") == true)
  }
}

// MARK: - Packing, and many hosts

extension UploadTests {
  @Test("over a slow line what packs well travels packed")
  func packed() async throws {
    let cargo = try Cargo(lines: 400_000)
    let server = try SSHServer()
    let relay = try Relay(to: server) { _ in .init(rate: 8e6) }
    defer { relay.stop() }
    try await send(cargo.transfer(), to: relay.host(server), server)
    #expect(cargo.arrived == cargo.bytes)
    #expect(relay.passed[0] < 2 * block + cargo.bytes.count / 4, "\(relay.passed)")
    #expect(cargo.bytes.count > 5 * block)
  }

  @Test("over a slow line what does not pack travels as it is")
  func unpackable() async throws {
    let cargo = try Cargo(random: 3 * block)
    let server = try SSHServer()
    let relay = try Relay(to: server) { _ in .init(rate: 12e6) }
    defer { relay.stop() }
    try await send(cargo.transfer(), to: relay.host(server), server)
    #expect(cargo.arrived == cargo.bytes)
  }

  @Test("a packed transfer that is cut goes on all the same")
  func packedAndCut() async throws {
    let cargo = try Cargo(lines: 400_000)
    let server = try SSHServer()
    let relay = try Relay(to: server) { number in
      number == 0 ? .init(cutAfter: block + 400_000, rate: 8e6) : .init()
    }
    defer { relay.stop() }
    try await send(cargo.transfer(), to: relay.host(server), server)
    #expect(cargo.arrived == cargo.bytes)
    #expect(relay.passed.count == 2, "\(relay.passed)")
  }

  @Test("a host without gzip, zstd and openssl gets it plain")
  func bareHost() async throws {
    let cargo = try Cargo(lines: 200_000)
    let folder = try ScratchFolder()
    let server = try server(with: needed, in: folder)
    let relay = try Relay(to: server) { _ in .init(rate: 12e6) }
    defer { relay.stop() }
    try await send(cargo.transfer(), to: relay.host(server), server)
    #expect(cargo.arrived == cargo.bytes)
    #expect(relay.passed[0] > cargo.bytes.count)
  }

  @Test("a host that cannot take checksums is told what it lacks")
  func noChecksums() async throws {
    let cargo = try Cargo(random: 5)
    let folder = try ScratchFolder()
    let server = try server(with: needed.filter { $0 != "sha256sum" }, in: folder)
    let error = await #expect(throws: Diagnostic.self) {
      try await send(cargo.transfer(), to: server)
    }
    #expect(error?.remedy == "install what is missing on the host")
    #expect(cargo.namesThere == [])
  }

  @Test("seven hosts at once get a file from one reading of it")
  func fanOut() async throws {
    let server = try SSHServer(config: ["MaxStartups 200"])
    let cargo = try Cargo(random: block + 3 * mebibyte)
    let files = SharedFiles()
    let file = try await files.file(at: cargo.source)
    let settings = try SSHSettings(server.host(), local: server.local, policy: .strict)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<7 {
        group.addTask {
          let link = HostLink(
            settings, trust: Trust(), limiter: ConnectionLimiter(), report: { _ in })
          var transfer = cargo.transfer()
          transfer.destination += "-\(number)"
          try await SSHShell(link, files: files).send(transfer)
          await link.close()
        }
      }
      try await group.waitForAll()
    }
    for number in 0..<7 {
      let copy = FileManager.default.contents(atPath: "\(cargo.destination)-\(number)")
      #expect(copy == cargo.bytes)
    }
    #expect(await file.readCount == file.pieceCount)
  }

  @Test("through another host, too, a cut transfer goes on where it was")
  func throughGate() async throws {
    let (gate, end) = (try SSHServer(), try SSHServer())
    let relay = try Relay(to: gate) {
      $0 == 0 ? .init(cutAfter: 2 * block + 2 * mebibyte) : .init()
    }
    defer { relay.stop() }
    let cargo = try Cargo(random: 3 * block)
    var settings = try SSHSettings(end.host("end"), local: end.local, policy: .strict)
    let jump = try SSHSettings(relay.host(gate, "gate"), local: gate.local, policy: .strict)
    settings.jumps = [jump]
    let first = HostLink(
      jump, trust: Trust(), limiter: ConnectionLimiter(), report: { _ in })
    let link = HostLink(
      settings, trust: Trust(), limiter: ConnectionLimiter(), gates: { _ in first },
      report: { _ in })
    try await SSHShell(link, files: SharedFiles()).send(cargo.transfer())
    #expect(cargo.arrived == cargo.bytes)
    #expect(relay.passed.count == 2)
    #expect(relay.passed.last.map { $0 < 2 * block } == true, "\(relay.passed)")
    await link.close()
    await first.close()
  }

  @Test("a host behind a slow line holds up nobody")
  func slowNeighbour() async throws {
    let server = try SSHServer()
    let relay = try Relay(to: server) { _ in .init(rate: 2e6) }
    defer { relay.stop() }
    let cargo = try Cargo(random: 4 * block)
    let files = SharedFiles()
    func link(_ host: HelixModel.Host) throws -> HostLink {
      HostLink(
        try SSHSettings(host, local: server.local, policy: .strict), trust: Trust(),
        limiter: ConnectionLimiter(), report: { _ in })
    }
    let (slow, fast) = (try link(relay.host(server)), try link(server.host()))
    let isSlowDone = Lock(false)
    let late = Task {
      var transfer = cargo.transfer()
      transfer.destination += "-slow"
      try await SSHShell(slow, files: files).send(transfer)
      isSlowDone.withLock { $0 = true }
    }
    try await Task.sleep(for: .milliseconds(300))
    try await SSHShell(fast, files: files).send(cargo.transfer())
    #expect(cargo.arrived == cargo.bytes)
    #expect(isSlowDone.withLock { $0 } == false)
    late.cancel()
    _ = await late.result
    await slow.close()
    await fast.close()
  }
}
