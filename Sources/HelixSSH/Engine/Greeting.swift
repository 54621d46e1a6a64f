/// What a peer says in plain text before encryption starts: its greeting and its algorithms.
///
/// libssh2 keeps neither for us, and both are what an error about a failed start must show.
struct Greeting {
  /// The algorithms that a server offers, by what they are for.
  struct Offer: Hashable, Sendable {
    var keyExchange: [String] = []
    var hostKey: [String] = []
    var cipher: [String] = []
    var mac: [String] = []
  }

  private enum Stage { case lines, packet, over }

  /// A peer may say a few lines before its SSH version, as a login banner; not a book.
  private static let lineLimit = 32 * 1024
  private static let packetLimit = 64 * 1024

  private(set) var firstLine: String?
  /// The line that starts with `SSH-`.
  private(set) var version: String?
  private(set) var offer: Offer?
  /// The peer talks, but not SSH.
  private(set) var isForeign = false
  private var stage = Stage.lines
  private var buffer: [UInt8] = []
  private var linesSeen = 0

  /// Takes what was received next.
  mutating func take(_ bytes: UnsafeRawBufferPointer) {
    guard stage != .over else { return }
    buffer.append(contentsOf: bytes)
    if stage == .lines { readLines() }
    if stage == .packet { readPacket() }
  }

  private mutating func readLines() {
    while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
      let line = printable(buffer[..<end])
      linesSeen += end + 1
      buffer.removeFirst(end + 1)
      if firstLine == nil { firstLine = line }
      if line.hasPrefix("SSH-") {
        version = line
        stage = .packet
        return
      }
    }
    if linesSeen + buffer.count > Self.lineLimit {
      if firstLine == nil { firstLine = printable(buffer.prefix(80)) }
      isForeign = true
      finish()
    }
  }

  /// A KEXINIT packet: its length, padding, number 20, a cookie and ten lists of names.
  private mutating func readPacket() {
    var reader = WireReader(buffer)
    guard let length = reader.number() else { return }
    guard length < Self.packetLimit else { return finish() }
    guard let body = reader.bytes(length) else { return }
    defer { finish() }
    reader = WireReader(body)
    guard reader.byte() != nil, reader.byte() == 20, reader.bytes(16) != nil,
      let keyExchange = reader.printableNames(), let hostKey = reader.printableNames(),
      reader.names() != nil, let cipher = reader.printableNames(),
      reader.names() != nil, let mac = reader.printableNames()
    else { return }
    offer = Offer(keyExchange: keyExchange, hostKey: hostKey, cipher: cipher, mac: mac)
  }

  private mutating func finish() {
    stage = .over
    buffer = []
  }

  /// Drops what only an error about a failed start would show.
  mutating func forgetOffer() { offer = nil }

  /// What came without a line's end counts when the peer hangs up, unless it is a greeting cut short.
  var said: String? {
    let isGreeting = "SSH-".utf8.elementsEqual(buffer.prefix(4))
    return firstLine ?? (buffer.isEmpty || isGreeting ? nil : printable(buffer.prefix(80)))
  }
}

/// Bytes from a stranger as one line that cannot play with the terminal.
func printable(_ bytes: some Collection<UInt8>) -> String {
  var text = ""
  for scalar in String(decoding: bytes.prefix(400), as: UTF8.self).unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      if scalar != "\r" { text.unicodeScalars.append("\u{FFFD}") }
    default: text.unicodeScalars.append(scalar)
    }
  }
  return text
}

extension WireReader {
  /// Names as they may be shown to people.
  fileprivate mutating func printableNames() -> [String]? {
    names().map { $0.map { printable($0.utf8) } }
  }
}
