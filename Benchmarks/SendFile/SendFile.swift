import Foundation
import HelixModel
import HelixSSH

/// Sends one file to many hosts at once, for Benchmarks/ssh-speed.
@main
struct SendFile {
  static func main() async throws {
    let words = CommandLine.arguments
    guard words.count > 8, let port = Int(words[6]),
      let transport = TransportChoice(rawValue: words[7])
    else {
      FileHandle.standardError.write(
        Data("usage: send-file FILE SHA256 FOLDER KEY KNOWN_HOSTS PORT TRANSPORT ADDRESS...\n".utf8)
      )
      exit(64)
    }
    let provider = SSHShellProvider()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for address in words[8...] {
        let host = HelixModel.Host(
          name: HostName(address),
          connection: Connection(
            address: address, port: port, user: "root", privateKeyFile: words[4],
            knownHostsFiles: [words[5]],
            sshArguments: arguments.map { Located($0, at: here) }, transport: transport),
          groups: [], variables: Mapping(), location: here)
        let transfer = FileTransfer(
          source: words[1], destination: "\(words[3])/\(address)", sha256: words[2],
          become: .never, timeout: .seconds(300))
        group.addTask { try await provider.shell(to: host).send(transfer) }
      }
      try await group.waitForAll()
    }
    await provider.closeAll()
  }

  /// The same key exchange as the benchmark's scp.
  private static let arguments = ["-F", "none", "-o", "KexAlgorithms=curve25519-sha256"]
  private static let here = SourceLocation(file: "command line", line: 1, column: 1)
}
