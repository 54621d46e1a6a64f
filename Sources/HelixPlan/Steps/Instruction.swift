package import HelixModel

/// One thing the executor does; it interprets these and knows nothing else.
package enum Instruction: Hashable, Sendable {
  /// Runs POSIX sh as root; must do no harm when run twice.
  case run(script: String)
  /// Runs POSIX sh as root that takes long: apart from any connection, with a record of its own on
  /// the host.
  case launch(Launch)
  /// Reboots the host and waits until it answers from a new boot.
  case reboot(Reboot)
  /// Runs POSIX sh as root with text on standard input; for what must not stand in a file.
  case feed(Feed)
  /// Writes a file on the host: to a temporary beside it, flushed, then renamed.
  case write(FileWrite)
  /// Brings a release artifact to the host, verified on both sides, then renamed into place.
  case install(ArtifactInstall)
  /// Asks until a script, which changes nothing, succeeds.
  case wait(Wait)
  /// Runs a script that changes nothing, and keeps its output, one line, under a name for later
  /// steps.
  case learn(LearnedName, script: String)
  /// Runs a script that changes nothing, and keeps its output in a local file.
  case fetch(Fetch)
}

extension Instruction {
  /// What it writes on the far side, whose secrets are filled in at that moment.
  package var content: TemplateText? {
    switch self {
    case .feed(let feed): feed.input
    case .write(let file): file.content
    case .run, .launch, .reboot, .install, .wait, .learn, .fetch: nil
    }
  }
}

extension Instruction: ChoiceCoded {
  private struct Learning: Codable {
    var name: LearnedName
    var script: String
  }

  package func encodeChoice(into container: inout KeyedEncodingContainer<Word>) throws {
    switch self {
    case .run(let script): try container.encode(script, as: "run")
    case .launch(let launch): try container.encode(launch, as: "launch")
    case .reboot(let reboot): try container.encode(reboot, as: "reboot")
    case .feed(let feed): try container.encode(feed, as: "feed")
    case .write(let write): try container.encode(write, as: "write")
    case .install(let install): try container.encode(install, as: "install")
    case .wait(let wait): try container.encode(wait, as: "wait")
    case .learn(let name, let script):
      try container.encode(Learning(name: name, script: script), as: "learn")
    case .fetch(let fetch): try container.encode(fetch, as: "fetch")
    }
  }

  package static func decodeChoice(
    _ word: Word, from container: KeyedDecodingContainer<Word>
  ) throws -> Instruction? {
    switch word.stringValue {
    case "run": return .run(script: try container.decode(String.self, forKey: word))
    case "launch": return .launch(try container.decode(Launch.self, forKey: word))
    case "reboot": return .reboot(try container.decode(Reboot.self, forKey: word))
    case "feed": return .feed(try container.decode(Feed.self, forKey: word))
    case "write": return .write(try container.decode(FileWrite.self, forKey: word))
    case "install": return .install(try container.decode(ArtifactInstall.self, forKey: word))
    case "wait": return .wait(try container.decode(Wait.self, forKey: word))
    case "learn":
      let learning = try container.decode(Learning.self, forKey: word)
      return .learn(learning.name, script: learning.script)
    case "fetch": return .fetch(try container.decode(Fetch.self, forKey: word))
    default: return nil
    }
  }
}

/// A script that goes on when the connection is lost: the next who asks for it finds it running, or
/// how it ended.
package struct Launch: Hashable, Sendable, Codable {
  /// In words: `drain worker-1`.
  package var title: String
  /// Must do no harm when run twice, one after the other.
  package var script: String
  /// Seconds after which the host itself ends it.
  package var timeout: Int
  /// Whether a success that no run has seen is as good as a new one for a while.
  ///
  /// Not where others may have taken back since what it did, as pods come back to a node.
  package var keepsResult: Bool

  package init(_ title: String, script: String, timeout: Int, keepsResult: Bool = false) {
    self.title = title
    self.script = script
    self.timeout = timeout
    self.keepsResult = keepsResult
  }
}

/// A reboot that is over when the host answers and its boot id is another one.
package struct Reboot: Hashable, Sendable, Codable {
  /// Seconds until it must answer again.
  package var timeout: Int

  package init(timeout: Int = 600) { self.timeout = timeout }
}

/// A script that reads text; must do no harm when run twice.
package struct Feed: Hashable, Sendable, Codable {
  /// In words: `apply Secret flux-system/sops-age`.
  package var title: String
  package var script: String
  package var input: TemplateText

  package init(_ title: String, script: String, input: TemplateText) {
    self.title = title
    self.script = script
    self.input = input
  }
}

/// A whole file with its owner and mode.
package struct FileWrite: Hashable, Sendable, Codable {
  package var path: String
  package var content: TemplateText
  /// Four octal digits.
  package var mode: String
  package var owner: String
  package var group: String

  package init(
    path: String, content: TemplateText, mode: String = "0644", owner: String = "root",
    group: String = "root"
  ) {
    self.path = path
    self.content = content
    self.mode = mode
    self.owner = owner
    self.group = group
  }
}

/// A release artifact and where it goes.
package struct ArtifactInstall: Hashable, Sendable, Codable {
  package var artifact: ArtifactReference
  /// Lower-case hex; checked on the host before the rename.
  package var sha256: String
  package var path: String
  package var mode: String
  /// Where the file that stood there is kept, if it should be.
  package var keepingPreviousAt: String?

  package init(
    artifact: ArtifactReference, sha256: String, path: String, mode: String = "0755",
    keepingPreviousAt: String? = nil
  ) {
    self.artifact = artifact
    self.sha256 = sha256
    self.path = path
    self.mode = mode
    self.keepingPreviousAt = keepingPreviousAt
  }
}

/// A condition on a host and how long it may take to come true.
package struct Wait: Hashable, Sendable, Codable {
  /// In words: `master-2 is a voter`.
  package var condition: String
  /// POSIX sh; status 0 means it is so.
  package var script: String
  /// Seconds in all.
  package var timeout: Int
  /// Seconds between two askings.
  package var interval: Int
  /// The diagnosis to make when the time is up or a fatal cause shows, by its name in the catalogue.
  package var diagnosis: String?
  /// What the diagnosis is of, as the positional parameters of its script; nil when it needs none.
  package var subject: [String]?

  package init(
    _ condition: String, script: String, timeout: Int, interval: Int = 1,
    diagnosis: String? = nil, of subject: [String]? = nil
  ) {
    self.condition = condition
    self.script = script
    self.timeout = timeout
    self.interval = interval
    self.diagnosis = diagnosis
    self.subject = subject
  }
}

/// A local file made from what a host prints; the text never passes through plan or log.
package struct Fetch: Hashable, Sendable, Codable {
  /// What becomes of the local file.
  package enum Disposal: String, Hashable, Sendable, Codable {
    case replace
    /// Laid into an existing kubeconfig beside what it holds of other clusters.
    case mergeKubeconfig
  }

  package var script: String
  /// As the user wrote it; `~` is the home folder.
  package var localPath: String
  package var mode: String
  package var disposal: Disposal

  package init(
    script: String, localPath: String, mode: String = "0600", disposal: Disposal = .replace
  ) {
    self.script = script
    self.localPath = localPath
    self.mode = mode
    self.disposal = disposal
  }
}

/// How to find out why a wait did not come true: what to read on the host, and what its lines mean.
package struct Diagnosis: Hashable, Sendable {
  /// A line that names a cause.
  package struct Sign: Hashable, Sendable {
    /// Text that such a line contains.
    package var pattern: String
    package var cause: String
    package var remedy: String
    /// Whether waiting longer is in vain.
    package var isFatal: Bool

    package init(_ pattern: String, cause: String, remedy: String, fatal: Bool = false) {
      self.pattern = pattern
      self.cause = cause
      self.remedy = remedy
      isFatal = fatal
    }
  }

  package var name: String
  /// POSIX sh that prints the evidence, newest line last.
  package var script: String
  /// Looked for in order; the first that matches the newest matching line wins.
  package var signs: [Sign]

  package init(name: String, script: String, signs: [Sign]) {
    self.name = name
    self.script = script
    self.signs = signs
  }

  /// The script with what it is of as its positional parameters.
  package func script(of subject: [String]?) -> String {
    guard let subject, !subject.isEmpty else { return script }
    return "set -- \(subject.map(shellQuoted).joined(separator: " "))\n\(script)"
  }
}
