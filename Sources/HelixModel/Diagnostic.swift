/// What went wrong or is noteworthy, why, how to fix it, and where.
package struct Diagnostic: Error, Hashable, Sendable, Codable {
  package enum Severity: String, Hashable, Sendable, Codable {
    case error, warning, note
  }

  /// Where the trouble is: in a text, on a machine, or at a resource.
  package enum Place: Hashable, Sendable {
    case source(SourceLocation)
    case host(HostName, address: String?)
    case resource(Address)
  }

  /// What a command that failed left behind; already redacted.
  package struct Evidence: Hashable, Sendable, Codable {
    package var command: String
    package var status: Int?
    package var lastLines: [String]

    package init(command: String, status: Int?, lastLines: [String]) {
      self.command = command
      self.status = status
      self.lastLines = lastLines
    }
  }

  package var severity: Severity
  /// One line: what, lower case, no full stop.
  package var summary: String
  /// Why it is so or why it matters.
  package var reason: String?
  /// What the reader can do.
  package var remedy: String?
  package var place: Place?
  package var evidence: Evidence?

  package init(
    _ summary: String, reason: String? = nil, remedy: String? = nil, at place: Place? = nil,
    evidence: Evidence? = nil, severity: Severity = .error
  ) {
    self.summary = summary
    self.reason = reason
    self.remedy = remedy
    self.place = place
    self.evidence = evidence
    self.severity = severity
  }

  package init(
    _ summary: String, reason: String? = nil, remedy: String? = nil,
    at location: SourceLocation, severity: Severity = .error
  ) {
    self.init(
      summary, reason: reason, remedy: remedy, at: .source(location), severity: severity)
  }
}

extension Diagnostic {
  /// The place in a text, if that is where it is.
  package var location: SourceLocation? {
    if case .source(let location) = place { location } else { nil }
  }
}

/// All independent mistakes of one reading, in order of their places.
package struct Diagnostics: Error, Sendable {
  package let all: [Diagnostic]

  package init(_ all: [Diagnostic]) {
    self.all = all.enumerated().sorted { left, right in
      switch (left.element.location, right.element.location) {
      case (let first?, let second?) where first != second: first < second
      case (.some, nil): true
      case (nil, .some): false
      default: left.offset < right.offset
      }
    }.map(\.element)
  }

  package init(_ one: Diagnostic) {
    all = [one]
  }
}

extension Diagnostic.Place: ChoiceCoded {
  private struct HostPlace: Codable {
    var name: HostName
    var address: String?
  }

  package func encodeChoice(into container: inout KeyedEncodingContainer<Word>) throws {
    switch self {
    case .source(let location): try container.encode(location, as: "source")
    case .host(let name, let address):
      try container.encode(HostPlace(name: name, address: address), as: "host")
    case .resource(let address): try container.encode(address, as: "resource")
    }
  }

  package static func decodeChoice(
    _ word: Word, from container: KeyedDecodingContainer<Word>
  ) throws -> Diagnostic.Place? {
    switch word.stringValue {
    case "source": return .source(try container.decode(SourceLocation.self, forKey: word))
    case "host":
      let place = try container.decode(HostPlace.self, forKey: word)
      return .host(place.name, address: place.address)
    case "resource": return .resource(try container.decode(Address.self, forKey: word))
    default: return nil
    }
  }
}
