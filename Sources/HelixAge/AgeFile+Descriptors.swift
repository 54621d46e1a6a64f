import Foundation
import HelixModel

extension AgeFile {
  /// Reads from an open file, pipe or terminal.
  package static func source(_ descriptor: Int32) -> Source {
    { memory in
      try retried("read", descriptor, POLLIN) {
        read(descriptor, memory.baseAddress, memory.count)
      }
    }
  }

  /// Writes to an open file, pipe or terminal.
  package static func sink(_ descriptor: Int32) -> Sink {
    { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let some = UnsafeRawBufferPointer(rebasing: rest)
        let count = try retried("write", descriptor, POLLOUT) {
          write(descriptor, some.baseAddress, some.count)
        }
        rest = rest.dropFirst(count)
      }
    }
  }

  /// Calls the system until it is done, not interrupted, and not told to wait.
  private static func retried(
    _ verb: String, _ descriptor: Int32, _ event: Int32, _ call: () -> Int
  ) throws -> Int {
    while true {
      let count = call()
      if count >= 0 { return count }
      let code = errno
      if code == EAGAIN || code == EWOULDBLOCK {
        var wait = pollfd(fd: descriptor, events: Int16(event), revents: 0)
        _ = poll(&wait, 1, -1)
      } else if code != EINTR {
        throw Diagnostic("cannot \(verb)", reason: String(cString: strerror(code)))
      }
    }
  }
}
