import Foundation
import Synchronization

/// A request as the server read it.
struct Request: Sendable, Equatable {
  /// As it came, with its percent signs.
  let path: String
  let headers: [String: String]

  /// The first byte that was asked for; nil when the whole file was.
  var start: Int? { bounds.map(\.first) }
  /// The last byte that was asked for.
  var end: Int { bounds?.last ?? .max - 1 }

  private var bounds: (first: Int, last: Int)? {
    let words = headers["range"]?.split { "=-".contains($0) } ?? []
    guard words.count == 3, words[0] == "bytes", let first = Int(words[1]),
      let last = Int(words[2])
    else { return nil }
    return (first, last)
  }
}

/// What the server answers, and how badly.
struct Reply: Sendable {
  var status = "200 OK"
  var headers: [String] = []
  var body: [UInt8] = []
  /// How much of the body is really sent before the connection closes.
  var sent: Int?
  /// Sent in pieces of this size with pauses between them.
  var drip: (size: Int, pause: TimeInterval)?
  /// How long it says nothing first.
  var delay: TimeInterval = 0

  /// A whole file, or the piece of it that was asked for.
  static func file(_ text: String, for request: Request) -> Reply {
    let bytes = Array(text.utf8)
    guard let range = request.start.map({ $0..<min(request.end + 1, bytes.count) }) else {
      return Reply(body: bytes)
    }
    let place = "Content-Range: bytes \(range.lowerBound)-\(range.upperBound - 1)/\(bytes.count)"
    return Reply(
      status: "206 Partial Content", headers: [place], body: Array(bytes[range]))
  }
}

/// A small HTTP server on the loopback address that answers as a test tells it.
final class ScratchServer: Sendable {
  let port: UInt16
  private let socket: Int32
  private let seen = Mutex<[Request]>([])
  private let answer: @Sendable (Request) -> Reply

  var address: String { "http://127.0.0.1:\(port)" }
  /// All requests so far.
  var requests: [Request] { seen.withLock { $0 } }

  init(_ answer: @escaping @Sendable (Request) -> Reply) throws {
    self.answer = answer
    socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let socket = socket
    let isReady = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, length) == 0 && listen(socket, 64) == 0
          && getsockname(socket, $0, &length) == 0
      }
    }
    guard isReady else { throw POSIXError(.EADDRINUSE) }
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [weak self] in
      while true {
        let connection = accept(socket, nil, nil)
        guard connection >= 0 else { return }
        guard let self else {
          close(connection)
          return
        }
        Thread.detachNewThread { self.serve(connection) }
      }
    }
  }

  deinit { stop() }

  /// Accepts nothing more.
  func stop() {
    shutdown(socket, Int32(SHUT_RDWR))
  }

  private func serve(_ connection: Int32) {
    defer { close(connection) }
    guard let request = read(from: connection) else { return }
    seen.withLock { $0.append(request) }
    let reply = answer(request)
    Thread.sleep(forTimeInterval: reply.delay)
    let head =
      (["HTTP/1.1 \(reply.status)", "Content-Length: \(reply.body.count)", "Connection: close"]
      + reply.headers).map { $0 + "\r\n" }.joined() + "\r\n"
    guard send(Array(head.utf8)[...], to: connection) else { return }
    var rest = reply.body[..<(reply.sent ?? reply.body.count)]
    while !rest.isEmpty {
      let piece = rest.prefix(reply.drip?.size ?? rest.count)
      guard send(piece, to: connection) else { return }
      rest = rest.dropFirst(piece.count)
      if let drip = reply.drip { Thread.sleep(forTimeInterval: drip.pause) }
    }
  }

  private func read(from connection: Int32) -> Request? {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while !bytes.suffix(4).elementsEqual(Array("\r\n\r\n".utf8)) {
      guard bytes.count < 65_536, recv(connection, &byte, 1, 0) == 1 else { return nil }
      bytes.append(byte)
    }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n")
    let words = lines[0].split(separator: " ")
    let headers = lines.dropFirst().compactMap { line -> (String, String)? in
      let halves = line.split(separator: ":", maxSplits: 1)
      guard halves.count == 2 else { return nil }
      return (halves[0].lowercased(), halves[1].trimmingCharacters(in: .whitespaces))
    }
    return Request(
      path: String(words[1]), headers: Dictionary(headers, uniquingKeysWith: { $1 }))
  }

  private func send(_ bytes: ArraySlice<UInt8>, to connection: Int32) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Foundation.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}
