internal import Crypto

#if canImport(Glibc)
  private import Glibc
#elseif canImport(Darwin)
  private import Darwin
#endif

/// The key that a file's values are encrypted under; its memory is wiped when it goes.
package struct DataKey: Sendable {
  static let length = 32

  let key: SymmetricKey

  /// Takes the bytes over and wipes the array they came in; nil unless there are 32 of them.
  package init?(wiping bytes: inout [UInt8]) {
    defer { bytes.wipe() }
    guard bytes.count == Self.length else { return nil }
    key = SymmetricKey(data: bytes)
  }

  init(random: inout some RandomNumberGenerator) {
    var bytes = random.bytes(Self.length)
    key = SymmetricKey(data: bytes)
    bytes.wipe()
  }

  /// Calls with a copy of the bytes, which is wiped afterwards.
  func withBytes<Result, Problem: Error>(
    _ body: ([UInt8]) throws(Problem) -> Result
  ) throws(Problem) -> Result {
    var bytes = key.withUnsafeBytes { Array($0) }
    defer { bytes.wipe() }
    return try body(bytes)
  }
}

extension DataKey: CustomStringConvertible, CustomReflectable {
  package var description: String { "‹data key›" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

extension [UInt8] {
  /// Overwrites them, which the optimiser may not leave out.
  mutating func wipe() {
    withUnsafeMutableBytes { memory in
      guard let start = memory.baseAddress else { return }
      #if canImport(Darwin)
        _ = memset_s(start, memory.count, 0, memory.count)
      #else
        explicit_bzero(start, memory.count)
      #endif
    }
  }
}

extension RandomNumberGenerator {
  mutating func bytes(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 7)
    while bytes.count < count {
      withUnsafeBytes(of: next() as UInt64) { bytes.append(contentsOf: $0) }
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }
}
