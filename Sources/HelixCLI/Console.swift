import Foundation
import Glibc
import HelixModel
internal import Synchronization

/// Where a command's words go: answers on stdout, everything else on stderr.
struct Console: Sendable {
  let output: Style
  let errors: Style
  private let loss = Loss()

  init(_ options: CommonOptions) {
    output = options.style(for: STDOUT_FILENO)
    errors = options.style(for: STDERR_FILENO)
  }

  func answer(_ text: String) { answer(Data(text.utf8)) }

  func answer(_ data: Data) {
    // A reader that went away (a pager that was quit) is no reason to stop half-way, or to complain.
    if let code = write(data, to: STDOUT_FILENO), code != EPIPE { loss.note(code) }
  }

  func note(_ text: String) { _ = write(Data(text.utf8), to: STDERR_FILENO) }

  /// Diagnostics with the source lines they speak of.
  func report(_ diagnostics: [Diagnostic]) {
    let renderer = DiagnosticText(style: errors) { path in
      try? String(contentsOfFile: path, encoding: .utf8)
    }
    note(renderer.render(diagnostics))
  }

  /// - Returns: The errno of what kept the rest from being written; nil when all was.
  private func write(_ data: Data, to descriptor: Int32) -> Int32? {
    data.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = Glibc.write(
          descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count > 0 {
          rest = rest.dropFirst(count)
        } else if errno == EAGAIN {
          // A terminal or pipe that somebody else made non-blocking is full for now.
          var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          _ = poll(&ready, 1, 1000)
        } else if errno != EINTR {
          return errno
        }
      }
      return nil
    }
  }
}

/// Remembers the first answer that could not be written.
private final class Loss: Sendable {
  private let code = Mutex<Int32?>(nil)

  func note(_ number: Int32) { code.withLock { $0 = $0 ?? number } }

  var failure: Failure? {
    code.withLock { $0 }.map { number in
      Failure(
        .failed,
        [
          Diagnostic(
            "standard output could not be written whole",
            reason: String(cString: strerror(number)), remedy: "write it somewhere else")
        ])
    }
  }
}

extension Console {
  /// Runs a command's body and turns what it throws into words and an exit status.
  func guarding(_ body: () async throws -> Void) async throws {
    do {
      try await body()
      if let failure = loss.failure { throw failure }
    } catch let diagnostics as Diagnostics {
      report(diagnostics.all)
      throw ExitStatus.invalidInput.exit
    } catch let failure as Failure {
      report(failure.diagnostics)
      throw failure.status.exit
    } catch let diagnostic as Diagnostic {
      report([diagnostic])
      throw ExitStatus.failed.exit
    }
  }
}

/// Diagnostics that end a command with a status of their own.
struct Failure: Error {
  var status: ExitStatus
  var diagnostics: [Diagnostic]

  init(_ status: ExitStatus, _ diagnostics: [Diagnostic]) {
    self.status = status
    self.diagnostics = diagnostics
  }
}
