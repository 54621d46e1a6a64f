import Glibc

/// What a master's control socket speaks (OpenSSH's PROTOCOL.mux), as far as running commands
/// needs it.
enum ControlProtocol {
  static let version = 4
  private static let hello = 0x0000_0001
  private static let newSession = 0x1000_0002
  private static let terminate = 0x1000_0005
  private static let newTunnel = 0x1000_0008
  /// The client's own number for its request; one request per connection.
  private static let request = 1

  /// What a master answers.
  enum Reply: Hashable, Sendable {
    case hello(version: Int)
    /// The command was sent to the host.
    case opened
    case refused(reason: String)
    case status(Int)
    /// Nothing that a command needs.
    case other
  }

  /// Asks for a command; its standard input, output and errors must follow as descriptors.
  ///
  /// - Parameters:
  ///   - command: For the host's login shell.
  ///   - variables: `NAME=value`; the master sends those that its `SendEnv` names.
  /// - Returns: What to write to the socket.
  static func ask(for command: String, variables: [String] = []) -> [UInt8] {
    var body: [UInt8] = []
    body.appendNumber(newSession)
    body.appendNumber(request)
    body.appendString([])
    // No terminal, X11 or subsystem, an agent if the master has leave to forward one, and no
    // character to escape with.
    for flag in [0, 0, 1, 0] { body.appendNumber(flag) }
    body.appendNumber(0xffff_ffff)
    body.appendString([])
    body.appendString(command.utf8)
    for variable in variables { body.appendString(variable.utf8) }
    return packets(body)
  }

  /// Asks for a connection from the host to another one; two descriptors must follow, for what is
  /// sent and for what is received.
  static func askForTunnel(to host: String, port: Int) -> [UInt8] {
    var body: [UInt8] = []
    body.appendNumber(newTunnel)
    body.appendNumber(request)
    body.appendString([])
    body.appendString(host.utf8)
    body.appendNumber(port)
    return packets(body)
  }

  /// Asks the master to end.
  static func askForEnd() -> [UInt8] {
    var body: [UInt8] = []
    body.appendNumber(terminate)
    body.appendNumber(request)
    return packets(body)
  }

  private static func packets(_ body: [UInt8]) -> [UInt8] {
    var greeting: [UInt8] = []
    greeting.appendNumber(hello)
    greeting.appendNumber(version)
    var bytes: [UInt8] = []
    bytes.appendString(greeting)
    bytes.appendString(body)
    return bytes
  }

  /// Hands a descriptor to the master, with one byte to carry it; false when the socket refuses.
  static func hand(_ descriptor: Int32, over socket: Int32) -> Bool {
    let header = MemoryLayout<cmsghdr>.size
    let room = header + 8
    return withUnsafeTemporaryAllocation(byteCount: room, alignment: 8) { control in
      withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { byte in
        byte[0] = 0
        control.initializeMemory(as: UInt8.self, repeating: 0)
        var rights = cmsghdr()
        rights.cmsg_len = header + MemoryLayout<Int32>.size
        rights.cmsg_level = SOL_SOCKET
        rights.cmsg_type = Int32(SCM_RIGHTS)
        control.storeBytes(of: rights, as: cmsghdr.self)
        control.storeBytes(of: descriptor, toByteOffset: header, as: Int32.self)
        var data = iovec(iov_base: byte.baseAddress, iov_len: 1)
        return withUnsafeMutablePointer(to: &data) { data in
          var message = msghdr()
          message.msg_iov = data
          message.msg_iovlen = 1
          message.msg_control = control.baseAddress
          message.msg_controllen = room
          return sendmsg(socket, &message, Int32(MSG_NOSIGNAL)) == 1
        }
      }
    }
  }
}

extension ControlProtocol {
  /// Cuts what a master says into its answers.
  struct Reader {
    private var bytes: [UInt8] = []

    mutating func take(_ new: UnsafeRawBufferPointer) { bytes += new }

    /// The next whole answer.
    mutating func next() -> Reply? {
      var reader = WireReader(bytes)
      guard let body = reader.string() else { return nil }
      bytes.removeFirst(4 + body.count)
      return Self.reply(body)
    }

    private static func reply(_ body: [UInt8]) -> Reply {
      var reader = WireReader(body)
      let kind = reader.number()
      // The request or the session that it is about; a connection of ours has one of each.
      guard let number = reader.number() else { return .other }
      switch kind {
      case hello: return .hello(version: number)
      case 0x8000_0002, 0x8000_0003: return .refused(reason: reader.text() ?? "no reason")
      case 0x8000_0004: return .status(reader.number() ?? 255)
      case 0x8000_0006: return .opened
      default: return .other
      }
    }
  }
}
