private import CLibSSH2

/// Memory for key material, which is wiped when its last owner lets go.
// @unchecked: only whoever made it writes, before anybody else holds it.
final class SecretBuffer: @unchecked Sendable {
  private let memory: UnsafeMutableRawBufferPointer
  private(set) var count: Int

  /// Memory for so many bytes, filled by the closure, which says how many it used.
  init?(capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int?) {
    memory = .allocate(byteCount: max(1, capacity), alignment: 16)
    count = 0
    guard let count = fill(UnsafeMutableRawBufferPointer(rebasing: memory[..<capacity])) else {
      return nil
    }
    self.count = count
  }

  deinit {
    OPENSSL_cleanse(memory.baseAddress, memory.count)
    memory.deallocate()
  }

  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try body(UnsafeRawBufferPointer(rebasing: memory[..<count]))
  }
}

extension SecretBuffer: CustomStringConvertible, CustomReflectable {
  var description: String { "‹\(count) secret bytes›" }
  var customMirror: Mirror { Mirror(self, children: []) }
}

/// Reads the SSH protocol's strings in place, so that no copy of a secret is left behind.
struct SecretReader {
  private var rest: UnsafeRawBufferPointer.SubSequence

  init(_ bytes: UnsafeRawBufferPointer) { rest = bytes[...] }

  var remaining: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: rest) }

  mutating func bytes(_ count: Int) -> UnsafeRawBufferPointer? {
    guard count >= 0, rest.count >= count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return UnsafeRawBufferPointer(rebasing: rest.prefix(count))
  }

  mutating func number() -> Int? { bytes(4).map { $0.reduce(0) { $0 << 8 | Int($1) } } }

  mutating func string() -> UnsafeRawBufferPointer? { number().flatMap { bytes($0) } }

  mutating func text() -> String? { string().map { String(decoding: $0, as: UTF8.self) } }
}
