import HelixModel
import HelixPlan

/// The definition of UpgradePlans: made when it is missing, and then the controller's own.
struct PlanDefinitionResource: Resource {
  let object: ClusterObject

  var address: Address { object.address }
  var location: SourceLocation? { object.location }
  var after: [Address] { object.after }
  var mayAwait: [Address] { object.mayAwait }
  var questions: [Question] { object.questions }

  /// The controller writes its own over it at every start, so differences mean nothing.
  func verdict(_ sight: inout Sight) throws(Diagnostic) -> Verdict {
    let verdict = try object.verdict(&sight)
    switch verdict {
    case .change(let work) where work.action != .create:
      return .unchanged(reason: "it is there, and the controller looks after it")
    case .unchanged, .change, .heldBack, .refused: return verdict
    }
  }
}
