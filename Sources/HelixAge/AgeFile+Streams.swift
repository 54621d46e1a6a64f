import Foundation

extension AgeFile {
  static func encrypt(
    _ feed: Feed, size: Int?, to sink: @escaping Sink, for recipients: [any AgeRecipient],
    armored: Bool
  ) throws {
    let key = AgeFileKey.random()
    let header = AgeHeader(try stanzas(for: recipients, key), key: key)
    var nonce = [UInt8](repeating: 0, count: Payload.nonceSize)
    nonce.withUnsafeMutableBytes { AgeFileKey.fill($0) }
    let armor = armored ? ArmorWriter(sink) : nil
    let write = armor?.append ?? sink
    try (header.bytes + nonce).withUnsafeBytes { try write($0) }
    let payload = Payload(key, nonce: nonce)
    let pipeline = Pipeline(feed, unit: Payload.chunkSize, size: size) { piece in
      try piece.withUnsafeBytes {
        try write(UnsafeRawBufferPointer(rebasing: $0[Payload.head...]))
      }
    } work: {
      seal($0, payload)
    }
    try pipeline.run()
    try armor?.finish()
  }

  private static func stanzas(
    for recipients: [any AgeRecipient], _ key: AgeFileKey
  ) throws(AgeProblem) -> [AgeStanza] {
    guard let first = recipients.first else { throw .key("no recipient is given") }
    guard recipients.allSatisfy({ $0.labels == first.labels }) else {
      let isQuantum = recipients.contains { $0.labels.contains(HybridRecipient.label) }
      throw .key(
        isQuantum
          ? "a post-quantum recipient cannot stand beside another sort, which would undo it"
          : "a passphrase must be the only recipient")
    }
    var stanzas: [AgeStanza] = []
    for recipient in recipients { stanzas.append(try recipient.wrap(key)) }
    return stanzas
  }

  @Sendable private static func seal(_ batch: Pipeline.Batch, _ payload: Payload)
    -> Pipeline.Outcome
  {
    var outcome = Pipeline.Outcome()
    if case .failed(let error) = batch.ending {
      outcome.problem = error
      return outcome
    }
    let isEnd = if case .over = batch.ending { true } else { false }
    var (rest, number) = (UnsafeRawBufferPointer(batch.bytes)[...], batch.number)
    do {
      repeat {
        let chunk = UnsafeRawBufferPointer(rebasing: rest.prefix(Payload.chunkSize))
        rest = rest.dropFirst(Payload.chunkSize)
        outcome.pieces.append(
          try payload.seal(chunk, number: number, isLast: isEnd && rest.isEmpty))
        number += 1
      } while !rest.isEmpty
    } catch {
      outcome.problem = error
    }
    return outcome
  }
}

// MARK: - Decrypting

extension AgeFile {
  static func decrypt(
    _ feed: Feed, size: Int?, to sink: @escaping Sink, with identities: [any AgeIdentity],
    form: Form?
  ) throws {
    let content = try content(of: feed, form)
    let header = try AgeHeader(content)
    let key = try key(of: header, with: identities)
    guard key.isCode(header.code, over: header.covered) else { throw AgeProblem.hmac }
    var nonce = [UInt8](repeating: 0, count: Payload.nonceSize)
    guard try nonce.withUnsafeMutableBytes({ try content.fill($0) }) == Payload.nonceSize else {
      throw AgeProblem.header("it is cut off before the payload")
    }
    let payload = Payload(key, nonce: nonce)
    let pipeline = Pipeline(content, unit: Payload.sealedSize, size: size) { piece in
      try piece.withUnsafeMutableBytes {
        try sink(UnsafeRawBufferPointer($0))
        AgeSecret.wipe($0)
      }
    } work: {
      open($0, payload)
    }
    try pipeline.run()
  }

  /// A file's bytes out of their armor.
  static func content(of feed: Feed, _ form: Form?) throws -> Feed {
    let isArmored = try form.map { $0 == .armored } ?? Armor.isAhead(in: feed)
    return isArmored ? Feed(capacity: 1 << 12, ArmorReader(feed).read) : feed
  }

  private static func key(
    of header: AgeHeader, with identities: [any AgeIdentity]
  ) throws(AgeProblem) -> AgeFileKey {
    // A passphrase says who made the file, which another recipient beside it would undo.
    guard header.stanzas.count == 1 || !header.stanzas.contains(where: { $0.type == "scrypt" })
    else { throw .header("a passphrase is not its only recipient") }
    let ordered = identities.filter { !$0.asks } + identities.filter(\.asks)
    // Who cannot be unlocked keeps nobody behind it from trying.
    var locked: AgeProblem?
    for identity in ordered {
      do throws(AgeProblem) {
        if let key = try identity.unwrap(header.stanzas) { return key }
      } catch .key(let reason) where identity.asks {
        locked = locked ?? .key(reason)
      }
    }
    throw locked ?? .noMatch
  }

  @Sendable private static func open(_ batch: Pipeline.Batch, _ payload: Payload)
    -> Pipeline.Outcome
  {
    var outcome = Pipeline.Outcome()
    var (start, number) = (0, batch.number)
    repeat {
      let count = min(Payload.sealedSize, batch.count - start)
      let chunk = Opening(
        memory: UnsafeMutableRawBufferPointer(
          rebasing: batch.memory[start..<start + Payload.head + count]),
        number: number, ending: start + count < batch.count ? .more : batch.ending)
      let (piece, problem) = chunk.open(payload)
      if let piece { outcome.pieces.append(piece) }
      outcome.problem = problem
      start += count
      number += 1
    } while start < batch.count && outcome.problem == nil
    return outcome
  }

  /// One chunk, and what follows it.
  private struct Opening {
    let memory: UnsafeMutableRawBufferPointer
    let number: UInt64
    let ending: Pipeline.Ending

    private var isFull: Bool { memory.count == Payload.head + Payload.sealedSize }

    /// What the chunk held if it is sound, and what is wrong with it or behind it.
    func open(_ payload: Payload) -> (Data?, (any Error)?) {
      let damaged = AgeProblem.payload("it is damaged")
      switch ending {
      case .over:
        if let piece = payload.open(memory, number: number, isLast: true) {
          guard !piece.isEmpty || number == 0 else { return (nil, damaged) }
          return (piece, nil)
        }
        let piece = isFull ? payload.open(memory, number: number, isLast: false) : nil
        return (piece, piece == nil ? damaged : AgeProblem.payload("it is cut off"))
      case .failed(let error) where !isFull: return (nil, error)
      case .more, .failed:
        var after: (any Error)?
        if case .failed(let error) = ending { after = error }
        if let piece = payload.open(memory, number: number, isLast: false) { return (piece, after) }
        let piece = payload.open(memory, number: number, isLast: true)
        let trailing = after ?? AgeProblem.payload("something follows its end")
        return (piece, piece == nil ? damaged : trailing)
      }
    }
  }
}
