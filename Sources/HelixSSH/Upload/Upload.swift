import HelixModel

/// Brings one file to one host, and goes on where it was when the connection is cut.
struct Upload {
  /// Runs one command on the host, on whatever connection there is by then; the number is that of
  /// the file's bytes which it brings there.
  typealias Ask = (RemoteRequest, Int) async throws -> CommandOutput

  private let transfer: FileTransfer
  private let ascent: Ascent?
  private let file: SharedFile
  private let ask: Ask
  private let meter: ProgressMeter
  private let deadline: ContinuousClock.Instant
  private var patience = Patience()
  /// The host has answered, so that its silence is a cut and not a host that is down.
  private var hasBegun = false
  /// How pieces are packed; nil as long as they travel plain.
  private var level: Int?

  init(_ transfer: FileTransfer, ascent: Ascent?, of file: SharedFile, ask: @escaping Ask) {
    self.transfer = transfer
    self.ascent = ascent
    self.file = file
    self.ask = ask
    meter = ProgressMeter(total: file.size, transfer.progress)
    deadline = .now + transfer.timeout
  }

  /// - Throws: an `SSHError`, or `CancellationError`.
  mutating func run() async throws {
    while true {
      do {
        try await attempt()
        return meter.finish()
      } catch let error as SSHError {
        guard isWorthAnotherTry(error), let pause = patience.pause(), pause < left else {
          throw error
        }
        try await Task.sleep(for: pause)
      }
    }
  }

  private var left: Duration { deadline - .now }

  private func isWorthAnotherTry(_ error: SSHError) -> Bool {
    switch error {
    case .upload(.overtaken), .endUnseen: true
    case .gate(_, let error): isWorthAnotherTry(error)
    case .unreachable, .timedOut, .nameUnknown, .proxyFailed, .tunnelRefused: hasBegun
    default: error.isConnectionLoss || error.isTurnedAway && hasBegun
    }
  }

  private mutating func attempt() async throws {
    let survey = try await survey()
    hasBegun = true
    var block = try await file.countOfBlocks(with: survey.blocks)
    if survey.unpacker == nil { level = nil }
    repeat {
      patience.see(blocks: block)
      let feed = PieceFeed(
        file, from: block, level: level, mayPack: survey.unpacker != nil, meter: meter)
      let reached = try await receive(feed, behind: block, survey)
      block = reached / SharedFile.blockSize
      level = await feed.nextLevel
      if reached == file.size { return }
    } while true
  }

  private func survey() async throws -> UploadSurvey {
    let output = try await run(
      UploadScripts.survey,
      [transfer.destination, String(file.size), String(SharedFile.blockSize)], isQuestion: true)
    guard output.status == 0 else { throw unwritten(output) }
    return UploadSurvey(output.output)
  }
}

extension Upload {
  /// One command that takes the file from a block on; the size it reached.
  private func receive(
    _ feed: PieceFeed, behind block: Int, _ survey: UploadSurvey
  ) async throws -> Int {
    let nonce = String(UInt64.random(in: .min ... .max), radix: 36)
    let output: CommandOutput
    do {
      output = try await run(
        UploadScripts.receive,
        [
          transfer.destination, String(SharedFile.blockSize), String(block), String(file.size),
          transfer.sha256, survey.summer, level == nil ? "cat" : survey.unpacker ?? "cat", nonce,
        ], input: .feed(feed), bringing: file.size - block * SharedFile.blockSize)
    } catch {
      throw await feed.failure ?? error
    }
    switch output.status {
    case 0:
      let reached = Int(output.output.split(separator: "\n").last ?? "")
      if let reached, reached == (await feed.position) { return reached }
      throw await refused(output)
    case UploadScripts.Status.overtaken:
      throw SSHError.upload(.overtaken(destination: transfer.destination))
    case UploadScripts.Status.wrongChecksum:
      let sum = try await file.checksum()
      throw SSHError.upload(
        sum == transfer.sha256
          ? .damaged(destination: transfer.destination)
          : .unexpected(path: transfer.source, sum: sum))
    default: throw await refused(output)
    }
  }

  /// What the host could not take leaves nothing there: on a full disk every byte counts.
  private func refused(_ output: CommandOutput) async -> SSHError {
    _ = try? await run(UploadScripts.discard, [transfer.destination])
    return unwritten(output)
  }

  private func unwritten(_ output: CommandOutput) -> SSHError {
    let lines = output.errors.split(separator: "\n").suffix(5).map { printable($0.utf8) }
    return .upload(
      .unwritten(
        destination: transfer.destination, status: output.status,
        lines: lines.filter { !$0.hasSuffix("records in") && !$0.hasSuffix("records out") }))
  }

  private func run(
    _ script: String, _ parameters: [String], input: RemoteInput = .nothing,
    bringing count: Int = 0, isQuestion: Bool = false
  ) async throws -> CommandOutput {
    do {
      return try await ask(
        RemoteRequest(
          command: UploadScripts.command(script, parameters), ascent: ascent, input: input,
          isQuestion: isQuestion, limit: max(left, .milliseconds(1))), count)
    } catch SSHError.commandTimedOut {
      throw SSHError.upload(
        .outOfTime(
          destination: transfer.destination, after: transfer.timeout, sent: meter.sent,
          total: file.size))
    }
  }
}
