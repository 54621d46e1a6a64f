import Glibc
import HelixModel

/// Whether others could write a configuration file, and so choose what runs here.
enum ConfigFileSafety {
  /// Why a file is not to be trusted, by Debian's rule: a group may write it when it has no other
  /// member than the owner.
  static func problem(of path: String) -> Diagnostic? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    if status.st_uid != 0, status.st_uid != getuid() {
      return refusal(
        of: path, "it belongs to somebody else, whom ssh would not trust either",
        remedy: "chown \(getuid()) \(path)")
    }
    let isOpen = status.st_mode & 0o002 != 0
    guard isOpen || status.st_mode & 0o020 != 0 && !isPrivate(status.st_gid, to: status.st_uid)
    else { return nil }
    return refusal(
      of: path, "others could make ssh run any program, so ssh would refuse it, too",
      remedy: "chmod go-w \(path)")
  }

  private static func refusal(of path: String, _ reason: String, remedy: String) -> Diagnostic {
    Diagnostic(
      "others can write ssh's configuration \(path)", reason: reason, remedy: remedy,
      at: SourceLocation(file: path, line: 1, column: 1))
  }

  private static func isPrivate(_ group: gid_t, to owner: uid_t) -> Bool {
    var person = passwd()
    var foundPerson: UnsafeMutablePointer<passwd>?
    var personText = [CChar](repeating: 0, count: 16 * 1024)
    var entry = Glibc.group()
    var foundEntry: UnsafeMutablePointer<Glibc.group>?
    var entryText = [CChar](repeating: 0, count: 64 * 1024)
    guard
      getpwuid_r(owner, &person, &personText, personText.count, &foundPerson) == 0,
      foundPerson != nil,
      getgrgid_r(group, &entry, &entryText, entryText.count, &foundEntry) == 0, foundEntry != nil
    else { return false }
    let name = String(cString: person.pw_name)
    var member = entry.gr_mem
    while let text = member?.pointee {
      if String(cString: text) != name { return false }
      member = member?.advanced(by: 1)
    }
    return person.pw_gid == group
  }
}
