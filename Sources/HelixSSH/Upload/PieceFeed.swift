/// Feeds one command with a file from a block on, to its end or to where packing would be faster.
actor PieceFeed: InputFeed {
  private let file: SharedFile
  private let level: Int?
  private let mayPack: Bool
  private let start: Int
  private let meter: ProgressMeter
  private var number: Int
  private var halfway: ContinuousClock.Instant?
  private var sampling: Task<[Packing.Sample], Never>?
  /// Why it could not go on; the command's own end says less.
  private(set) var failure: SSHError?
  /// The level at which the rest should travel.
  private(set) var nextLevel: Int?

  /// - Parameters:
  ///   - file: The file.
  ///   - block: The first block to send.
  ///   - level: How pieces are packed; nil for plain ones.
  ///   - mayPack: The host could unpack what now travels plain.
  ///   - meter: Told how far it is.
  init(
    _ file: SharedFile, from block: Int, level: Int?, mayPack: Bool, meter: ProgressMeter
  ) {
    self.file = file
    self.level = level
    self.mayPack = mayPack && level == nil
    self.meter = meter
    start = block * SharedFile.piecesPerBlock
    number = start
    nextLevel = level
  }

  /// Bytes of the file that were given away, from its beginning on.
  var position: Int { min(file.size, number * SharedFile.pieceSize) }

  func next() async throws(SSHError) -> [UInt8]? {
    meter.reached(position)
    do throws(SSHError) {
      guard number < file.pieceCount, try await !shouldChange() else { return nil }
      let piece = try await file.piece(number, level: level)
      number += 1
      return piece
    } catch {
      failure = error
      // A session ends the command on this error alone; others mean that it stopped reading.
      if case .inputUnreadable = error { throw error }
      throw .inputUnreadable(path: file.path, reason: "it is not what it was")
    }
  }

  /// Looks after one block, four, sixteen and so on whether the line is slow enough for packing.
  ///
  /// The rate is that of a block's second half: the first fills buffers on the way.
  private func shouldChange() async throws(SSHError) -> Bool {
    guard mayPack else { return false }
    let (blocks, pieces) = (number - start).quotientAndRemainder(
      dividingBy: SharedFile.piecesPerBlock)
    if pieces == SharedFile.piecesPerBlock / 2, isTimeToLook(after: blocks + 1) {
      halfway = .now
      sampleNextBlock()
    }
    guard pieces == 0, let began = halfway, let sampling else { return false }
    halfway = nil
    let time = (ContinuousClock.now - began) / .seconds(1)
    let line = Double(SharedFile.blockSize / 2) / max(time, 1e-6)
    nextLevel = Packing.level(line: line, rest: file.size - position, await sampling.value)
    return nextLevel != nil
  }

  private func isTimeToLook(after blocks: Int) -> Bool {
    blocks.nonzeroBitCount == 1 && blocks.trailingZeroBitCount.isMultiple(of: 2)
  }

  /// Packs a part of what comes next, on another thread while sending goes on.
  private func sampleNextBlock() {
    let piece = min(number + SharedFile.piecesPerBlock / 2, file.pieceCount - 1)
    sampling = Task { [file] in (try? await file.samples(ofPiece: piece)) ?? [] }
  }
}
