import HelixModel

/// A `sleep` on a host, told from all others by its odd time.
struct MarkedSleep {
  private let mark = UInt32.random(in: 1_000_000...9_999_999)

  var command: String { "sleep \(mark)" }

  /// Waits until it is there.
  func isThere(_ shell: any Shell) async throws -> Bool {
    try await find("^[s]leep.\(mark)", shell) { $0 }
  }

  /// Waits until neither it nor a shell that would start it is left.
  func isGone(_ shell: any Shell) async throws -> Bool {
    try await find("[s]leep.\(mark)", shell) { !$0 }
  }

  /// Brackets in the pattern keep the search from finding itself.
  private func find(
    _ pattern: String, _ shell: any Shell, _ isRight: (Bool) -> Bool
  ) async throws -> Bool {
    for _ in 0..<100 {
      let search = Command("grep -lsa '\(pattern)' /proc/[0-9]*/cmdline", become: .never)
      if isRight(try await !shell.run(search).output.isEmpty) { return true }
      try await Task.sleep(for: .milliseconds(100))
    }
    return false
  }
}
