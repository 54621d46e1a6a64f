package import HelixModel

/// The name of a question to a host: `machine`, `file:/etc/hosts`.
package struct FactID: Hashable, Sendable, Codable, RawRepresentable {
  package let rawValue: String
  package init(rawValue: String) { self.rawValue = rawValue }
  package init(_ name: String) { rawValue = name }

  package init(from decoder: any Decoder) throws {
    rawValue = try decoder.singleValueContainer().decode(String.self)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }
}

extension FactID: Comparable, CustomStringConvertible, ExpressibleByStringLiteral {
  package init(stringLiteral value: String) { rawValue = value }
  package static func < (left: FactID, right: FactID) -> Bool { left.rawValue < right.rawValue }
  package var description: String { rawValue }
}

/// What a host answered: exit status and standard output, as they came.
package struct FactAnswer: Hashable, Sendable, Codable {
  package var status: Int
  package var output: String

  package init(status: Int, output: String) {
    self.status = status
    self.output = output
  }
}

/// The question alone, without the type of its answer: what travels to the host.
package struct FactRequest: Hashable, Sendable, Codable {
  package let id: FactID
  /// POSIX sh, run as root, that changes nothing; see `FactPrelude` for the functions it may call.
  package let command: String

  package init(id: FactID, command: String) {
    self.id = id
    self.command = command
  }

  // The command is long, and the name alone tells requests apart in all but a mistake.
  package func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

/// A question to a host and the pure reading of its answer.
package struct Fact<Value: Sendable>: Sendable {
  package let request: FactRequest
  /// - Throws: a `Diagnostic` when the answer makes no sense.
  package let parse: @Sendable (FactAnswer) throws(Diagnostic) -> Value
  /// The value in one line, for people and for noticing that it moved; equal for equal meaning.
  package let summary: @Sendable (Value) -> String

  package init(
    _ id: String, command: String,
    parse: @escaping @Sendable (FactAnswer) throws(Diagnostic) -> Value,
    summary: @escaping @Sendable (Value) -> String
  ) {
    request = FactRequest(id: FactID(id), command: command)
    self.parse = parse
    self.summary = summary
  }
}

/// A fact that a change relied on, and what it was.
package struct Reliance: Hashable, Sendable, Codable {
  package let host: HostName
  package let fact: FactID
  package let summary: String

  package init(host: HostName, fact: FactID, summary: String) {
    self.host = host
    self.fact = fact
    self.summary = summary
  }

  // Summaries may be long, and a fact of a host rarely has two.
  package func hash(into hasher: inout Hasher) {
    hasher.combine(host)
    hasher.combine(fact)
  }
}

extension Reliance: Comparable {
  package static func < (left: Reliance, right: Reliance) -> Bool {
    (left.host, left.fact) < (right.host, right.fact)
  }
}

/// Shell functions that every fact command may call; the observer sends them ahead of the facts.
package enum FactPrelude {
  /// The shell variable that holds the fingerprint key; never exported.
  package static let keyVariable = "HELIX_KEY"
  /// The shell variable that holds the asker's clock in seconds since 1970, so that hosts asked at
  /// different times can be compared; empty when it is not known.
  package static let nowVariable = "HELIX_NOW"

  /// `helix_fingerprint` reads a value on standard input and prints its keyed fingerprint, by the
  /// construction that `Fingerprinter` describes.
  package static let script = """
    helix_fingerprint() {
      helix_inner=$({ printf '%s:' "$HELIX_KEY"; cat; } | sha256sum) || return
      printf '%s:%s' "$HELIX_KEY" "${helix_inner%% *}" | sha256sum | cut -c1-64
    }
    """
}
