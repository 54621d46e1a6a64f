internal import Foundation
internal import HelixModel

#if canImport(FoundationNetworking)
  internal import FoundationNetworking
#endif

/// The diagnostics of fetching release files.
enum Problem {
  static func cannotWrite(_ path: String, code: Int32) -> Diagnostic {
    Diagnostic(
      "the artifact cache cannot be written: \(path)",
      reason: String(cString: strerror(code)),
      remedy: "make room or make it writable, or set XDG_CACHE_HOME to another folder")
  }

  static func locked(_ path: String, for limit: Duration) -> Diagnostic {
    Diagnostic(
      "another run has been fetching the same file for \(limit.components.seconds) s",
      reason: "it holds the lock \(path)",
      remedy: "let it finish or end it, then run again")
  }

  static func wrongFile(
    _ artifact: ArtifactReference, from source: RemoteFile, expected: String, got: String?,
    list: String
  ) -> Diagnostic {
    Diagnostic(
      "\(artifact.file) of \(artifact.release) is not the file that the release lists",
      reason: "expected sha256 \(expected), got \(got ?? "nothing readable") from \(source.shown)",
      remedy: "use another mirror; if this one was rebuilt on purpose, remove its list"
        + " \(shellQuoted(list)) and run again")
  }

  static func notListed(
    _ artifact: ArtifactReference, in shown: String, files: [String]
  ) -> Diagnostic {
    Diagnostic(
      "\(artifact.release) lists no file \"\(artifact.file)\"",
      reason: "\(shown) does not name it",
      remedy: suggestion(for: artifact.file, among: files))
  }

  static func malformedList(_ shown: String, line: Int) -> Diagnostic {
    Diagnostic(
      "\(shown) is not a list of checksums",
      reason: "line \(line) is not \"<sha256>  <file>\"",
      remedy: "see what is there: a proxy's page, or a file that was cut; then run again")
  }

  static func missing(_ path: String, release: String) -> Diagnostic {
    Diagnostic(
      "there is no file \(path)",
      reason: "a folder of artifacts holds <release>/<file> as the release page does",
      remedy: "download it and its checksum list from the release page of \(release) into that"
        + " folder")
  }

  static func wrongFolderFile(_ path: String, expected: String, got: String) -> Diagnostic {
    Diagnostic(
      "\(path) is not the file that the release lists",
      reason: "expected sha256 \(expected), got \(got)",
      remedy: "copy the file and its checksum list from the same release again")
  }

  static func wrongName(_ name: String) -> Diagnostic {
    Diagnostic(
      "\"\(name)\" cannot be a release or a release file",
      reason: "it would lead out of its folder", remedy: "write the release's own name")
  }
}

extension Problem {
  /// What a failed request means for a person.
  static func transfer(
    _ failure: TransferFailure, of file: String, from source: RemoteFile, into path: String
  ) -> Diagnostic {
    switch failure {
    case .status(let code): answered(code, file, source)
    case .staleRange:
      Diagnostic(
        "\(source.shown) answers with other pieces than asked for",
        remedy: "use another mirror, or \(airgap)")
    case .broken(let error): broken(error, file, source)
    case .cannotWrite(let code): cannotWrite(path, code: code)
    case .tooLarge(let limit):
      Diagnostic(
        "\(source.shown) is larger than \(limit) bytes",
        reason: "that is no \(file)", remedy: "check the mirror's address")
    }
  }

  private static let airgap =
    "download it elsewhere and name its folder: artifacts: { folder: DIR }"

  private static func answered(_ code: Int, _ file: String, _ source: RemoteFile) -> Diagnostic {
    let summary = "\(source.shown) cannot be fetched: the server answered \(code)"
    return switch code {
    case 404, 410:
      Diagnostic(
        "there is no \(source.shown)", reason: "the server answered \(code)",
        remedy: "check the release and the mirror; or \(airgap)")
    case 401, 403, 407:
      Diagnostic(
        summary, reason: "it wants to know who asks, or a proxy forbids it",
        remedy: "check the mirror's address and HTTPS_PROXY; or \(airgap)")
    case 300..<400:
      Diagnostic(
        summary, reason: "it points to a place that is not encrypted, or points in a circle",
        remedy: "use a mirror that serves the file itself; or \(airgap)")
    default:
      Diagnostic(
        summary, reason: "the mirror has trouble of its own",
        remedy: "run again later, use another mirror, or \(airgap)")
    }
  }

  private static func broken(
    _ error: URLError, _ file: String, _ source: RemoteFile
  ) -> Diagnostic {
    let (reason, remedy): (String, String) =
      switch error.code {
      case .cannotFindHost, .dnsLookupFailed:
        ("its name has no address", "check the mirror's name and this machine's DNS")
      case .cannotConnectToHost:
        ("nothing accepts the connection", "check the mirror's port, firewalls and HTTPS_PROXY")
      case .timedOut:
        ("the server fell silent", "run again: it goes on where it stopped")
      case .networkConnectionLost:
        ("the connection broke off", "run again: it goes on where it stopped")
      case .secureConnectionFailed, .serverCertificateUntrusted, .serverCertificateHasBadDate,
        .serverCertificateHasUnknownRoot, .serverCertificateNotYetValid:
        (
          "its certificate is not trusted by this machine",
          "install ca-certificates or your own authority, and check the clock"
        )
      default:
        // On Linux most failures have no code of their own, only libcurl's words.
        (
          error.localizedDescription,
          "run again: it goes on where it stopped; or check the mirror's certificate, proxies and"
            + " firewalls"
        )
      }
    return Diagnostic(
      "\(source.shown) cannot be fetched", reason: reason, remedy: "\(remedy); or \(airgap)")
  }
}
