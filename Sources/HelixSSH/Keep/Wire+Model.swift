import HelixModel

// What the ports speak of, as it travels between a run and the keeper.

extension HostName: WireValue {
  static var blank: HostName { HostName("") }
  mutating func travel(by wire: inout Wire) {
    var name = rawValue
    wire.carry(&name)
    self = HostName(name)
  }
}

/// Only here does a secret leave the process: through a socket that nobody but its user can open.
extension SecretValue: WireValue {
  static var blank: SecretValue { SecretValue([]) }
  mutating func travel(by wire: inout Wire) {
    var bytes = reveal()
    wire.carry(&bytes)
    self = SecretValue(bytes)
  }
}

// MARK: - Commands

extension Command: WireValue {
  static var blank: Command { Command("") }
  mutating func travel(by wire: inout Wire) {
    wire.carry(&line)
    wire.carry(&input)
    wire.carry(&become)
    wire.carry(&effect, oneOf: [.question, .deed])
    wire.carry(&timeout)
  }
}

/// Who hears of the transfer's progress stays behind.
extension FileTransfer: WireValue {
  static var blank: FileTransfer {
    FileTransfer(source: "", destination: "", sha256: "", timeout: .zero)
  }
  mutating func travel(by wire: inout Wire) {
    wire.carry(&source)
    wire.carry(&destination)
    wire.carry(&sha256)
    wire.carry(&become)
    wire.carry(&timeout)
  }
}

extension FileTransfer.Progress: WireValue {
  static var blank: Self { Self(sent: 0, total: 0) }
  mutating func travel(by wire: inout Wire) {
    wire.carry(&sent)
    wire.carry(&total)
  }
}

extension CommandInput: WireValue {
  static var blank: CommandInput { .nothing }
  mutating func travel(by wire: inout Wire) {
    var (kind, bytes) = parts
    wire.carry(&kind)
    wire.carry(&bytes)
    switch kind {
    case 0: self = .nothing
    case 1: self = .text(String(decoding: bytes, as: UTF8.self))
    case 2: self = .secret(SecretValue(bytes))
    case 3: self = .file(path: String(decoding: bytes, as: UTF8.self))
    default: wire.refuse()
    }
  }

  private var parts: (kind: Int, bytes: [UInt8]) {
    switch self {
    case .nothing: (0, [])
    case .text(let text): (1, Array(text.utf8))
    case .secret(let secret): (2, secret.reveal())
    case .file(let path): (3, Array(path.utf8))
    }
  }
}

extension Become: WireValue {
  static var blank: Become { .never }
  mutating func travel(by wire: inout Wire) {
    var (kind, name) = parts
    wire.carry(&kind)
    wire.carry(&name)
    switch kind {
    case 0: self = .never
    case 1: self = .root
    case 2: self = .user(name)
    default: wire.refuse()
    }
  }

  private var parts: (kind: Int, name: String) {
    switch self {
    case .never: (0, "")
    case .root: (1, "")
    case .user(let name): (2, name)
    }
  }
}

extension CommandOutput: WireValue {
  static var blank: CommandOutput { CommandOutput(status: 0) }
  mutating func travel(by wire: inout Wire) {
    wire.carry(&status)
    wire.carry(&output)
    wire.carry(&errors)
    wire.carry(&isTruncated)
  }
}

// MARK: - Diagnostics and events

extension Diagnostic: WireValue {
  static var blank: Diagnostic { Diagnostic("") }
  mutating func travel(by wire: inout Wire) {
    wire.carry(&severity, oneOf: [.error, .warning, .note])
    wire.carry(&summary)
    wire.carry(&reason)
    wire.carry(&remedy)
    wire.carry(&place)
    wire.carry(&evidence)
  }
}

extension Diagnostic.Evidence: WireValue {
  static var blank: Self { .init(command: "", status: nil, lastLines: []) }
  mutating func travel(by wire: inout Wire) {
    wire.carry(&command)
    wire.carry(&status)
    wire.carry(&lastLines)
  }
}

extension Diagnostic.Place: WireValue {
  static var blank: Self { .host("", address: nil) }
  mutating func travel(by wire: inout Wire) {
    var (kind, name, detail, numbers) = parts
    wire.carry(&kind)
    wire.carry(&name)
    wire.carry(&detail)
    wire.carry(&numbers)
    switch kind {
    case 0: self = .host(HostName(name), address: detail)
    case 1 where numbers.count == 3:
      self = .source(
        SourceLocation(file: name, line: numbers[0], column: numbers[1], length: numbers[2]))
    case 2:
      guard let address = Address(name) else { return wire.refuse() }
      self = .resource(address)
    default: wire.refuse()
    }
  }

  private var parts: (kind: Int, name: String, detail: String?, numbers: [Int]) {
    switch self {
    case .host(let name, let address): (0, name.rawValue, address, [])
    case .source(let place): (1, place.file, nil, [place.line, place.column, place.length])
    case .resource(let address): (2, address.description, nil, [])
    }
  }
}

extension SSHEvent: WireValue {
  static var blank: SSHEvent { .requested("") }
  mutating func travel(by wire: inout Wire) {
    var (kind, host, words) = parts
    wire.carry(&kind)
    wire.carry(&host)
    wire.carry(&words)
    switch (kind, words.count) {
    case (0, 1): self = .connected(host, address: words[0])
    case (1, 2): self = .acceptedHostKey(host, fingerprint: words[0], file: words[1])
    case (2, 0): self = .requested(host)
    case (3, 1): self = .secondTransport(host, reason: words[0])
    case (4, 1): self = .touchNeeded(host, key: words[0])
    case (5, 0): self = .bulkConnected(host)
    case (6, 1): self = .bulkRefused(host, reason: words[0])
    default: wire.refuse()
    }
  }

  private var parts: (kind: Int, host: HostName, words: [String]) {
    switch self {
    case .connected(let host, let address): (0, host, [address])
    case .acceptedHostKey(let host, let fingerprint, let file): (1, host, [fingerprint, file])
    case .requested(let host): (2, host, [])
    case .secondTransport(let host, let reason): (3, host, [reason])
    case .touchNeeded(let host, let key): (4, host, [key])
    case .bulkConnected(let host): (5, host, [])
    case .bulkRefused(let host, let reason): (6, host, [reason])
    }
  }
}
