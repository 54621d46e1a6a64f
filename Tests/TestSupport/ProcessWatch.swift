import Foundation

/// Looks again and again for a text in the arguments and environments of every process of this
/// machine; the nodes' are among them.
package final class ProcessWatch: @unchecked Sendable {
  // Only the thread writes `seen` and `looks`, and they are read after it has ended.
  package private(set) var seen: [String] = []
  package private(set) var looks = 0
  private let isOver = NSLock()
  private let done = DispatchSemaphore(value: 0)

  package init(for canary: String) {
    isOver.lock()
    let needle = Data(canary.utf8)
    Thread {
      while !self.isOver.try() {
        self.look(for: needle)
        self.looks += 1
      }
      self.done.signal()
    }.start()
  }

  package func end() {
    isOver.unlock()
    done.wait()
  }

  private func look(for needle: Data) {
    let files = FileManager.default
    for name in (try? files.contentsOfDirectory(atPath: "/proc")) ?? [] where Int(name) != nil {
      for part in ["cmdline", "environ"] {
        let path = "/proc/\(name)/\(part)"
        guard let data = files.contents(atPath: path), data.range(of: needle) != nil else {
          continue
        }
        seen.append(String(decoding: data, as: UTF8.self))
      }
    }
  }
}
