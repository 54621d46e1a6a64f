import HelixKinds

/// Asks for the status of an upgrade again and again, until it is done.
///
/// Servers that do not answer end nothing: the only server of a cluster is away while it is upgraded.
/// Neither does a status that is stuck, since somebody may be mending it.
struct UpgradeWatch {
  let ask: () async throws -> UpgradeStatus.Answer
  /// Shows what is new.
  let show: (UpgradeStatus.Answer) -> Void
  let pause: () async throws -> Void

  func run() async throws -> UpgradeStatus {
    var last: UpgradeStatus.Answer?
    while true {
      let answer = try await ask()
      if isNews(answer, after: last) { show(answer) }
      if case .told(let status) = answer, status.state == .done { return status }
      last = answer
      try await pause()
    }
  }

  /// A silence is told once, however its reason changes.
  private func isNews(_ answer: UpgradeStatus.Answer, after last: UpgradeStatus.Answer?) -> Bool {
    if case .silence = answer, case .silence? = last { return false }
    return answer != last
  }
}
