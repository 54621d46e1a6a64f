/// What the system's `ssh` has told about a login on its standard error.
///
/// ssh has no other way to say why it failed; its words are the same in every language and have
/// kept their form for many versions. What is not understood here is shown as it is.
struct SystemStory: Sendable {
  private static let debugMark = "debug1: "
  private static let greetingMark = "Remote protocol version"

  /// What people would have read.
  private(set) var said: [String] = []
  /// What ssh tells those who look for a fault.
  private var details: [String] = []

  /// The hosts that have greeted, one after the other: those on the way come first.
  private var greetings = 0

  init(_ lines: [String]) {
    for line in lines {
      if line.hasPrefix(Self.debugMark) {
        let detail = String(line.dropFirst(Self.debugMark.count))
        if detail.hasPrefix(Self.greetingMark) { begin() }
        details.append(detail)
      } else if !Self.isFrame(line) {
        said.append(line)
      }
    }
  }

  /// What was told before is about a host on the way.
  private mutating func begin() {
    if greetings > 0 { details = [] }
    greetings += 1
  }

  /// The boxes around ssh's warnings, and blank lines.
  private static func isFrame(_ line: String) -> Bool {
    line.allSatisfy { $0 == "@" || $0 == " " || $0 == "\u{FFFD}" }
  }

  /// How far the login has come.
  var stage: SSHError.Stage {
    func told(_ words: String) -> Bool { details.contains { $0.hasPrefix(words) } }
    if said.contains(where: Self.isAuthentication) { return .run }
    if told("SSH2_MSG_SERVICE_ACCEPT") || told("Authentications that can continue") {
      return .logIn
    }
    if told(Self.greetingMark) { return .exchangeKeys }
    if told("Connection established") { return .greet }
    return .dial
  }

  /// The address that was connected to, once logged in without help of a proxy.
  var address: String? {
    for line in said where Self.isAuthentication(line) {
      guard let from = line.firstRange(of: "([")?.upperBound,
        let to = line[from...].firstIndex(of: "]")
      else { return nil }
      return String(line[from..<to])
    }
    return nil
  }

  /// ssh has written down a key that no file had.
  var hasKeptKey: Bool { find("Permanently added ") != nil }

  /// The type and fingerprint of the key that the host has shown.
  var hostKey: SystemProblem.ShownKey? {
    let mark = "Server host key: "
    guard let line = details.last(where: { $0.hasPrefix(mark) }) else { return nil }
    let words = line.dropFirst(mark.count).split(separator: " ")
    guard words.count > 1 else { return nil }
    let algorithm = words[0].replacing("-cert-v01@openssh.com", with: "")
    return .init(word: HostKey.word(for: String(algorithm)), fingerprint: String(words[1]))
  }

  /// A key with a button, which waits to be touched.
  var keyToTouch: String? {
    let mark = "Server accepts key: "
    guard let line = details.last, line.hasPrefix(mark), line.contains("-SK ") else { return nil }
    return String(line.dropFirst(mark.count).prefix { $0 != " " })
  }

  /// The keys that were shown to the server, as ssh names them.
  private var shownKeys: [String] {
    let mark = "Offering public key: "
    return details.filter { $0.hasPrefix(mark) }.map { line in
      let words = line.dropFirst(mark.count).split(separator: " ")
      return words.prefix(3).joined(separator: " ")
    }
  }
}

// MARK: - Why it failed

extension SystemStory {
  /// The error behind the end of a login, which may have ended on the way.
  func error(_ settings: SSHSettings) -> SSHError {
    guard greetings <= settings.jumps.count else { return ownError(settings) }
    if let command = settings.proxyCommand {
      return .proxyFailed(command: command, status: nil, lines: said)
    }
    guard !settings.jumps.isEmpty else { return ownError(settings) }
    let gate = settings.jumps[max(0, greetings - 1)]
    guard let line = find("open failed: ") ?? find("stdio forwarding failed") else {
      return .gate(gate, ownError(gate))
    }
    let next = greetings < settings.jumps.count ? settings.jumps[greetings] : settings
    let name = KnownHosts.name(host: next.address, port: next.port)
    return .gate(gate, .tunnelRefused(to: name, detail: Self.tail(of: line)))
  }

  private func ownError(_ settings: SSHSettings) -> SSHError {
    trustError ?? agreementError ?? loginError ?? connectionError(settings)
      ?? .system(.other(said.filter { !Self.isAuthentication($0) }))
  }

  private static func isAuthentication(_ line: String) -> Bool {
    line.hasPrefix("Authenticated to ")
  }

  /// The error behind the end of a connection that was in use.
  func loss(_ settings: SSHSettings) -> SSHError {
    if find("Timeout, server ") != nil {
      return .silent(settings.aliveInterval * (settings.aliveCount + 1))
    }
    return .disconnected(.run, said: farewell)
  }

  private func find(_ words: String) -> String? { said.first { $0.contains(words) } }

  private var trustError: SSHError? {
    if find("is marked as revoked") != nil || find("revoked by file") != nil {
      return .system(.revokedKey(hostKey, place: nil))
    }
    if find("REMOTE HOST IDENTIFICATION HAS CHANGED") != nil {
      return .system(.changedKey(hostKey, known: []))
    }
    if let line = find("Certificate invalid: ") {
      return .system(.certificate(reason: Self.tail(of: line)))
    }
    if find("host key is known for ") != nil { return .system(.unknownKey(hostKey)) }
    return find("Host key verification failed") == nil ? nil : .system(.other(said))
  }

  /// From `Unable to negotiate with … port …: no matching cipher found. Their offer: …`.
  private var agreementError: SSHError? {
    guard let line = find("Unable to negotiate with "),
      let start = line.firstRange(of: "no matching ")?.upperBound,
      let end = line[start...].firstRange(of: " found. Their offer: ")
    else { return nil }
    let purposes = [
      "key exchange method": Algorithms.Purpose.keyExchange, "host key type": .hostKey,
      "cipher": .cipher, "MAC": .mac,
    ]
    let purpose = String(line[start..<end.lowerBound])
    let offered = line[end.upperBound...].split(separator: ",").map(String.init)
    return .noCommonAlgorithm(
      AlgorithmGap(
        purpose: purposes[purpose]?.rawValue ?? purpose, offered: offered, ours: []))
  }

  /// From `user@host: Permission denied (publickey,password).`.
  private var loginError: SSHError? {
    var attempts = LoginAttempts(refused: shownKeys, skipped: skippedKeys)
    if let line = find("Too many authentication failures") {
      attempts.farewell = line
      return .loginRefused(attempts)
    }
    guard let line = find("Permission denied ("),
      let start = line.lastIndex(of: "("), let end = line.lastIndex(of: ")"), start < end
    else { return nil }
    attempts.serverTakes =
      line[line.index(after: start)..<end].split(separator: ",").map(String.init)
    return attempts.refused.isEmpty ? .noKeys(attempts) : .loginRefused(attempts)
  }

  /// Keys that ssh could not use, in its own words.
  private var skippedKeys: [String] {
    let complaints = said.filter { line in
      ["Load key ", "no such identity", "are too open", "sign_and_send_pubkey", "agent refused"]
        .contains(where: line.contains)
    }
    return complaints.isEmpty && shownKeys.isEmpty ? ["ssh found no key"] : complaints
  }

  private func connectionError(_ settings: SSHSettings) -> SSHError? {
    if let line = find("Could not resolve hostname") {
      return .nameUnknown(reason: Self.tail(of: line).lowercased())
    }
    if find("timed out during banner exchange") != nil {
      return .timedOut(.greet, after: settings.connectTimeout)
    }
    let attempts = details.filter { $0.hasPrefix("connect to address ") }.map { line in
      SSHError.Attempt(
        address: String(line.split(separator: " ")[3]), reason: Self.tail(of: line).lowercased())
    }
    if !attempts.isEmpty { return .unreachable(attempts) }
    if let line = find("connect to host ") {
      return .unreachable([
        .init(address: settings.address, reason: Self.tail(of: line).lowercased())
      ])
    }
    if let said = foreignWords { return .foreign(said: said) }
    let ends = ["Connection closed by", "Connection reset by", "kex_exchange_identification"]
    guard farewell != nil || ends.contains(where: { find($0) != nil }) else { return nil }
    return .disconnected(stage, said: farewell)
  }

  /// What stands where a greeting should.
  private var foreignWords: String? {
    let line = details.first { $0.contains("banner line 0: ") }
    if let line, greetings == 0 { return Self.tail(of: line) }
    guard find("could not read protocol version") != nil else { return nil }
    return said.first.map(Self.tail)
  }

  /// From `Received disconnect from 192.0.2.1 port 22:2: the reason`.
  private var farewell: String? { find("Received disconnect from ").map(Self.tail) }

  private static func tail(of line: String) -> String {
    line.ranges(of: ": ").last.map { String(line[$0.upperBound...]) } ?? line
  }
}
