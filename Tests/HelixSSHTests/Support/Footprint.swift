import Foundation

/// What this process holds of the system at some moment.
struct Footprint: Sendable {
  var descriptors = 0
  var threads = 0
  /// Memory in use, in bytes.
  var resident = 0

  static var now: Footprint {
    let files = FileManager.default
    let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    return Footprint(
      descriptors: (try? files.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0,
      threads: (try? files.contentsOfDirectory(atPath: "/proc/self/task").count) ?? 0,
      resident: (pages.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
        * Int(sysconf(Int32(_SC_PAGESIZE))))
  }

  /// The most memory this process has ever used, in bytes.
  static var peak: Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return (line?.split(separator: " ").compactMap { Int($0) }.first ?? 0) * 1024
  }
}
