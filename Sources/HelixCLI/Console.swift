import Foundation
import Glibc
import HelixModel
internal import Synchronization

/// Where a command's words go: answers on stdout, everything else on stderr.
struct Console: Sendable {
  let output: Style
  let errors: Style
  private let loss = Loss()
  private let quotes: Quoting

  /// Of which files the lines are shown that diagnostics speak of.
  enum Quoting: Sendable {
    /// Of all but those that hold secrets, encrypted or not.
    case plainFiles
    /// Only of the files with these names: every other may hold a secret.
    case files(Set<String>)
  }

  init(_ options: CommonOptions, quoting quotes: Quoting = .plainFiles) {
    self.quotes = quotes
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
    let renderer = DiagnosticText(style: errors) { path in quotable(path) }
    note(renderer.render(diagnostics))
  }

  private func quotable(_ path: String) -> String? {
    switch quotes {
    case .files(let names):
      guard names.contains((path as NSString).lastPathComponent) else { return nil }
    case .plainFiles: break
    }
    guard let text = try? String(contentsOfFile: path, encoding: .utf8),
      // A file with ciphertexts may hold values in plain text that were added by mistake.
      !text.contains("ENC[AES256_GCM,"), !text.contains("AGE-SECRET-KEY-")
    else { return nil }
    return text
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

extension Console {
  /// Goes on only after somebody has typed "yes".
  ///
  /// - Throws: a `Failure` when the answer is another one, or nobody is there to give it.
  func approve(_ question: String, otherwise: String) throws {
    try ask(question, otherwise: otherwise)
    guard readLine() == "yes" else { throw Self.declined }
  }

  /// Whether somebody is there to be asked.
  var canAsk: Bool { isatty(STDIN_FILENO) == 1 }

  /// The same, while other work goes on.
  func awaitApproval(of question: String, otherwise: String) async throws {
    try ask(question, otherwise: otherwise)
    let answer = await typedLine()
    guard !Task.isCancelled else {
      note("\n")
      throw CancellationError()
    }
    guard answer == "yes" else { throw Self.declined }
  }

  private static var declined: Failure {
    Failure(.failed, [Diagnostic("not approved; nothing was changed")])
  }

  private func ask(_ question: String, otherwise: String) throws {
    guard canAsk else {
      throw Failure(
        .failed,
        [
          Diagnostic(
            "nobody is there to answer \"\(question)\"",
            reason: "standard input is not a terminal",
            remedy: "\(otherwise), or run it in a terminal")
        ])
    }
    note("\n\(question) Only \"yes\" is taken for a yes: ")
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
