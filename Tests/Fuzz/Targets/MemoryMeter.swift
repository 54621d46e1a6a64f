import Foundation

/// Tells by how much a piece of work made the process grow at its peak, in bytes.
package protocol GrowthMeter {
  func growth(_ work: () -> Void) -> Int
}

/// Asks the system.
///
/// Other threads must rest meanwhile, since memory is the process's.
package struct MemoryMeter: GrowthMeter {
  private typealias Trim = @convention(c) (Int) -> Int32

  /// glibc's malloc_trim, which gives back what is free, so that each input is measured by itself.
  private let trim: Trim? = dlsym(UnsafeMutableRawPointer(bitPattern: 0), "malloc_trim")
    .map { unsafeBitCast($0, to: Trim.self) }

  package init() {}

  package func growth(_ work: () -> Void) -> Int {
    _ = trim?(0)
    // Writing 5 sets the peak back to what is in use now; see proc(5).
    if let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") {
      file.write(Data("5".utf8))
    }
    let before = peak()
    work()
    return max(0, peak() - before)
  }

  /// Whether growth can be seen here at all; where it cannot, nothing would ever be found.
  package var sees: Bool {
    let size = 64 << 20
    return growth {
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
      for page in stride(from: 0, to: size, by: 4096) { memory[page] = UInt8.random(in: 1...9) }
      memory.deallocate()
    } > size / 2
  }

  private func peak() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    let number = line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) }
    return (number ?? 0) * 1024
  }
}
