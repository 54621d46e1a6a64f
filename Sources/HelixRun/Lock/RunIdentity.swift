import Glibc
import HelixModel
package import HelixPlan

extension RunIdentity {
  /// This process, at a command of the operator's.
  package static func here(_ command: String, clock: any RunClock = SystemClock()) -> RunIdentity {
    let now = UTCTime(milliseconds: clock.wallTime)
    return RunIdentity(
      id: "\(now.compact)-\(getpid())-\(randomNonce().prefix(6))", user: oneLine(userName()),
      host: oneLine(hostName()), pid: Int(getpid()), command: oneLine(command), started: now.text,
      process: LocalProcess.mark(of: getpid()) ?? "")
  }
}

/// Knows for sure whether a process of this machine has ended.
enum LocalProcess {
  /// Boot, name space and moment of birth of a living process; nil when it cannot be told.
  static func mark(of pid: pid_t) -> String? {
    guard let boot = firstLine(of: HostPlaces.bootID), let space, let birth = birth(of: pid) else {
      return nil
    }
    return "\(boot) \(space) \(birth)"
  }

  /// Whether a process that had such a mark has surely ended.
  ///
  /// A process of another machine, boot or container may well live: nobody here can tell.
  static func isGone(_ pid: Int, mark: String) -> Bool {
    let words = mark.split(separator: " ").map(String.init)
    guard words.count == 3, let pid = pid_t(exactly: pid), pid > 0,
      words[0] == firstLine(of: HostPlaces.bootID), words[1] == space
    else { return false }
    if kill(pid, 0) != 0, errno == ESRCH { return true }
    guard let birth = birth(of: pid) else { return false }
    return birth != words[2]
  }

  /// Containers have the machine's boot and numbers of their own.
  private static var space: String? {
    var text = [UInt8](repeating: 0, count: 128)
    let count = readlink("/proc/self/ns/pid", &text, text.count)
    return count > 0 ? String(decoding: text.prefix(count), as: UTF8.self) : nil
  }

  /// Field 22 of `stat`; the name in field 2 may hold anything, also brackets.
  private static func birth(of pid: pid_t) -> String? {
    guard let line = firstLine(of: "/proc/\(pid)/stat"), let name = line.lastIndex(of: ")") else {
      return nil
    }
    let fields = line[name...].split(separator: " ")
    return fields.count > 20 ? String(fields[20]) : nil
  }

  private static func firstLine(of path: String) -> String? {
    guard let bytes = try? contents(of: path), !bytes.isEmpty else { return nil }
    return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }
}

/// The name of this machine, as it calls itself.
func hostName() -> String {
  var name = [CChar](repeating: 0, count: 256)
  guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
  return name.withUnsafeBytes {
    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
  }
}

/// Who sits here: behind sudo, the one who typed it.
private func userName() -> String {
  if let name = getenv("SUDO_USER").map({ String(cString: $0) }), !name.isEmpty { return name }
  if let entry = getpwuid(getuid()), let name = entry.pointee.pw_name {
    return String(cString: name)
  }
  return "user \(getuid())"
}
