private import CLibSSH2

/// A signature that is made elsewhere while libssh2 asks for it again and again.
///
/// Lives inside one session's isolation.
final class Signature {
  enum State {
    case unasked
    case asked([UInt8])
    case waiting
    case made([UInt8])
    case failed(SSHError)
  }

  /// The key as the server is shown it.
  let blob: [UInt8]
  var state = State.unasked

  init(blob: [UInt8]) { self.blob = blob }

  /// What is to be signed, once.
  func takeRequest() -> [UInt8]? {
    guard case .asked(let data) = state else { return nil }
    state = .waiting
    return data
  }

  /// The algorithm that a request names; what is signed and what is said about it must agree.
  static func algorithm(in request: [UInt8]) -> String? {
    var reader = WireReader(request)
    guard reader.string() != nil, reader.byte() == 50, reader.string() != nil,
      reader.string() != nil, reader.string() != nil, reader.byte() == 1
    else { return nil }
    return reader.text()
  }

  /// What libssh2 calls for a signature.
  static let callback:
    @convention(c) (
      OpaquePointer?, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?,
      UnsafeMutablePointer<Int>?, UnsafePointer<UInt8>?, Int,
      UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> Int32 = { _, signature, count, data, dataCount, context in
      guard let object = context?.pointee, let data else { return -1 }
      let me = Unmanaged<Signature>.fromOpaque(object).takeUnretainedValue()
      switch me.state {
      case .unasked:
        me.state = .asked(Array(UnsafeBufferPointer(start: data, count: dataCount)))
        return LIBSSH2_ERROR_EAGAIN
      case .asked, .waiting: return LIBSSH2_ERROR_EAGAIN
      case .failed: return -1
      case .made(let bytes):
        signature?.pointee = helix_copy(bytes, bytes.count)
        count?.pointee = bytes.count
        return 0
      }
    }
}
