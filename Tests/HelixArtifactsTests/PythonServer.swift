import Foundation

/// `python3 -m http.server` over a folder, ended with the value.
final class PythonServer {
  let address: String
  private let process = Process()

  init(folder: String) throws {
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "-d", folder]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    // "Serving HTTP on 127.0.0.1 port 41234 (http://127.0.0.1:41234/) ..."
    let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    guard let port = line.split(separator: " ").compactMap({ UInt16($0) }).first else {
      kill(process.processIdentifier, SIGKILL)
      throw POSIXError(.ECONNREFUSED)
    }
    address = "http://127.0.0.1:\(port)"
  }

  /// SIGKILL, because the child may have been born with the others blocked.
  deinit { kill(process.processIdentifier, SIGKILL) }
}
