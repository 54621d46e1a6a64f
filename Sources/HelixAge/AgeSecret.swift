#if canImport(Glibc)
  private import Glibc
#elseif canImport(Darwin)
  private import Darwin
#endif

// @unchecked: only the initializer writes, before anybody else holds it.
/// Memory for key material, which is wiped when its last owner lets go; it shows nothing of itself.
package final class AgeSecret: @unchecked Sendable {
  private let memory: UnsafeMutableRawBufferPointer

  package init(_ bytes: UnsafeRawBufferPointer) {
    memory = .allocate(byteCount: bytes.count, alignment: 16)
    memory.copyMemory(from: bytes)
  }

  package convenience init(_ bytes: [UInt8]) {
    self.init(count: bytes.count) { memory in memory.copyBytes(from: bytes) }
  }

  /// Memory of so many bytes, filled by the closure.
  init(count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
    memory = .allocate(byteCount: count, alignment: 16)
    memory.initializeMemory(as: UInt8.self, repeating: 0)
    fill(memory)
  }

  deinit {
    Self.wipe(memory)
    memory.deallocate()
  }

  package var count: Int { memory.count }

  /// Hands the bytes to a closure, which must not keep them.
  package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows
    -> Result
  {
    try body(UnsafeRawBufferPointer(memory))
  }

  /// Overwrites memory with a function that the optimiser may not drop.
  static func wipe(_ memory: UnsafeMutableRawBufferPointer) {
    guard let start = memory.baseAddress else { return }
    #if canImport(Darwin)
      _ = memset_s(start, memory.count, 0, memory.count)
    #else
      explicit_bzero(start, memory.count)
    #endif
  }

  /// Takes over an array's bytes and wipes the array.
  static func taking(_ bytes: inout [UInt8]) -> AgeSecret {
    let secret = AgeSecret(bytes)
    bytes.withUnsafeMutableBytes { wipe($0) }
    return secret
  }
}

extension AgeSecret: CustomStringConvertible, CustomReflectable {
  package var description: String { "‹\(count) secret bytes›" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
