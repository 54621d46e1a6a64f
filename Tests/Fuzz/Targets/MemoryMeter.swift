import Foundation

/// Tells by how much a piece of work made the process grow at its peak.
///
/// Other threads must rest meanwhile, since memory is the process's.
struct MemoryMeter {
  private typealias Trim = @convention(c) (Int) -> Int32

  /// glibc's malloc_trim, which gives back what is free, so that each input is measured by itself.
  private let trim: Trim? = dlsym(UnsafeMutableRawPointer(bitPattern: 0), "malloc_trim")
    .map { unsafeBitCast($0, to: Trim.self) }

  func growth(_ work: () -> Void) -> Int {
    _ = trim?(0)
    // Writing 5 sets the peak back to what is in use now; see proc(5).
    if let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") {
      file.write(Data("5".utf8))
    }
    let before = peak()
    work()
    return max(0, peak() - before)
  }

  private func peak() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    let number = line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) }
    return (number ?? 0) * 1024
  }
}
