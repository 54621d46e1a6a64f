internal import Foundation
package import HelixModel

/// Plain text in a file in memory, for an editor.
package struct PlainScratch: Sendable {
  private let folder: String
  private let path: String
  private let interruptions: Interruptions

  /// Locked for as long as somebody edits: the editor inherits it, and so outlives this process.
  private let lock: Int32

  private static let prefix = "helix-edit-"

  /// Removes what edits left behind that were killed: folders of one's own that nobody has locked.
  private static func sweep(_ place: String) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
    where name.hasPrefix(prefix) {
      guard let lock = locked("\(place)/\(name)", O_CLOEXEC) else { continue }
      wipe("\(place)/\(name)")
      close(lock)
    }
  }

  /// Locks a folder; nil when it is another user's, a link, or locked already.
  ///
  /// Anybody may put things into a place that all users share.
  private static func locked(_ folder: String, _ flags: Int32 = 0) -> Int32? {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | flags)
    guard descriptor >= 0 else { return nil }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_uid == geteuid(),
      flock(descriptor, LOCK_EX | LOCK_NB) == 0
    else {
      close(descriptor)
      return nil
    }
    return descriptor
  }

  /// Where files lie in memory: the user's own place first.
  private static var places: [String] {
    let own = ProcessInfo.processInfo.environment["XDG_RUNTIME_DIR"] ?? ""
    return (own.hasPrefix("/") ? [own] : []) + ["/dev/shm"]
  }

  /// - Throws: a `Diagnostic` when this machine has no place that is not on a disk.
  package init(name: String, _ text: [UInt8]) throws(Diagnostic) {
    for place in Self.places where Self.isInMemory(place) {
      Self.sweep(place)
      var template = Array("\(place)/\(Self.prefix)XXXXXX".utf8CString)
      // Made with mode 700.
      guard mkdtemp(&template) != nil else { continue }
      let made = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard let lock = Self.locked(made) else { continue }
      folder = made
      self.lock = lock
      path = "\(folder)/\(name)"
      interruptions = Interruptions()
      do throws(Diagnostic) {
        try NewFile.write(text, to: path)
      } catch {
        interruptions.end()
        rmdir(folder)
        close(lock)
        throw error
      }
      return
    }
    throw Diagnostic(
      "there is no place in memory for the plain text",
      reason: "neither $XDG_RUNTIME_DIR nor /dev/shm can be written to, and a disk would keep it",
      remedy: "change single values instead: helix-infra secrets set")
  }

  /// Whether a folder lies on no disk, by the nearest mount above it.
  private static func isInMemory(_ folder: String) -> Bool {
    guard let mounts = try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8) else {
      return false
    }
    let path = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path + "/"
    var nearest: (point: Substring, type: Substring) = ("", "")
    for mount in mounts.split(separator: "\n") {
      let words = mount.split(separator: " ")
      guard words.count > 2, words[1].count >= nearest.point.count else { continue }
      let start = words[1] == "/" ? "/" : "\(words[1])/"
      if path.hasPrefix(start) { nearest = (words[1], words[2]) }
    }
    return nearest.type == "tmpfs" || nearest.type == "ramfs"
  }

  /// Opens the text in the editor that the environment names, and waits for its end.
  ///
  /// - Throws: a `Diagnostic` when there is none, or it failed.
  package func edit() throws(Diagnostic) {
    let environment = ProcessInfo.processInfo.environment
    let editor =
      ["SOPS_EDITOR", "VISUAL", "EDITOR"].compactMap { environment[$0] }.first { !$0.isEmpty }
      ?? "vi"
    // The shell takes the editor's words apart, and makes way for it.
    let status = system("exec \(editor) \(shellQuoted(path))")
    guard status == 0 else {
      let signal = status & 0x7f
      let end = signal == 0 ? "status \(status >> 8 & 0xff)" : "signal \(signal)"
      throw Diagnostic(
        "the editor failed", reason: "\"\(editor)\" ended with \(end)",
        remedy: "name another one in SOPS_EDITOR or EDITOR")
    }
  }

  /// What the file holds now.
  package func text() throws(Diagnostic) -> [UInt8] { try GuardedFile(reading: path).bytes }

  /// Overwrites the text and removes it, and what the editor left beside it.
  package func wipe() {
    Self.wipe(folder)
    close(lock)
    interruptions.end()
  }

  private static func wipe(_ folder: String) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
      overwrite("\(folder)/\(name)")
    }
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Fills a file with zeros; what a link leads to is left alone.
  private static func overwrite(_ path: String) {
    let descriptor = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
    let zeros = [UInt8](repeating: 0, count: 65_536)
    var rest = Int(status.st_size)
    while rest > 0 {
      let count = Foundation.write(descriptor, zeros, min(rest, zeros.count))
      guard count > 0 else { return }
      rest -= count
    }
  }
}

/// Keeps Ctrl-C, a closed terminal and termination from ending the process while there is plain
/// text to be wiped; what it waits for at that moment ends instead.
private struct Interruptions: Sendable {
  private let former: [(number: Int32, action: sigaction)]

  init() {
    former = [SIGINT, SIGHUP, SIGTERM].map { number in
      var action = sigaction()
      // Without SA_RESTART, so that a question that is being asked ends.
      action.__sigaction_handler.sa_handler = { _ in }
      var before = sigaction()
      sigaction(number, &action, &before)
      return (number, before)
    }
  }

  func end() {
    for (number, action) in former {
      var action = action
      sigaction(number, &action, nil)
    }
  }
}
