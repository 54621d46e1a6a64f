import HelixModel
import HelixPlan

/// Why a step failed, and what became of undoing it.
extension Diagnostic {
  var undone: Diagnostic { adding("what the step had done was undone") }

  /// The same, and what is left to be done by hand.
  func notUndone(_ rest: [Instruction], _ words: String, on host: HostName?) -> Diagnostic {
    var told = adding(words)
    let place = host.map { " on \($0)" } ?? ""
    // What people can do: that waits come after it says how it looks when it is well.
    let deeds = rest.filter { if case .wait = $0 { false } else { true } }
    guard !deeds.isEmpty || rest.isEmpty else {
      told.remedy = "all was put back\(place), and it is not well; see why, then run apply again"
      return told
    }
    let work = deeds.map(\.words).joined(separator: ", ")
    told.remedy = "undo it by hand\(place): \(work)" + (remedy.map { "; then \($0)" } ?? "")
    return told
  }

  /// The same, where undoing it would have cost a vote; by hand it would cost it just as well.
  func notUndone(forWantOfVotes words: String, remedy: String) -> Diagnostic {
    var told = adding("it was not undone, since etcd could spare no vote: \(words)")
    told.remedy = remedy
    return told
  }

  private func adding(_ words: String) -> Diagnostic {
    var told = self
    told.reason = (reason.map { "\($0); " } ?? "") + words
    return told
  }
}
