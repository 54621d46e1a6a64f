import HelixModel
import HelixPlan

// An event is one flat object: its word under "event", beside the payload's own keys.
extension Event: Codable {
  private enum Key: String, CodingKey { case event }

  private enum Word: String, Codable {
    case hostAsked = "host-asked"
    case hostAnswered = "host-answered"
    case hostSilent = "host-silent"
    case runStarted = "run-started"
    case stepWaiting = "step-waiting"
    case stepStarted = "step-started"
    case instructionStarted = "instruction-started"
    case note
    case uploading
    case stepEnded = "step-ended"
    case runStopping = "run-stopping"
    case runEnded = "run-ended"
  }

  private var parts: (word: Word, payload: any Encodable) {
    switch self {
    case .hostAsked(let payload): (.hostAsked, payload)
    case .hostAnswered(let payload): (.hostAnswered, payload)
    case .hostSilent(let payload): (.hostSilent, payload)
    case .runStarted(let payload): (.runStarted, payload)
    case .stepWaiting(let payload): (.stepWaiting, payload)
    case .stepStarted(let payload): (.stepStarted, payload)
    case .instructionStarted(let payload): (.instructionStarted, payload)
    case .note(let payload): (.note, payload)
    case .uploading(let payload): (.uploading, payload)
    case .stepEnded(let payload): (.stepEnded, payload)
    case .runStopping(let payload): (.runStopping, payload)
    case .runEnded(let payload): (.runEnded, payload)
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    let (word, payload) = parts
    try container.encode(word, forKey: .event)
    try payload.encode(to: encoder)
  }

  package init(from decoder: any Decoder) throws {
    let word = try decoder.container(keyedBy: Key.self).decode(Word.self, forKey: .event)
    self =
      switch word {
      case .hostAsked: .hostAsked(try HostAsked(from: decoder))
      case .hostAnswered: .hostAnswered(try HostAnswered(from: decoder))
      case .hostSilent: .hostSilent(try HostSilent(from: decoder))
      case .runStarted: .runStarted(try RunStarted(from: decoder))
      case .stepWaiting: .stepWaiting(try StepWaiting(from: decoder))
      case .stepStarted: .stepStarted(try StepStarted(from: decoder))
      case .instructionStarted: .instructionStarted(try InstructionStarted(from: decoder))
      case .note: .note(try Note(from: decoder))
      case .uploading: .uploading(try Uploading(from: decoder))
      case .stepEnded: .stepEnded(try StepEnded(from: decoder))
      case .runStopping: .runStopping(try RunStopping(from: decoder))
      case .runEnded: .runEnded(try RunEnded(from: decoder))
      }
  }
}

extension Event.StepEnded: Codable {
  private enum Key: String, CodingKey { case step, seconds, outcome, diagnostic, blame }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(step, forKey: .step)
    try container.encode(seconds, forKey: .seconds)
    try container.encode(outcome.word, forKey: .outcome)
    switch outcome {
    case .failed(let diagnostic): try container.encode(diagnostic, forKey: .diagnostic)
    case .skipped(let blame): try container.encode(blame, forKey: .blame)
    case .done, .interrupted, .notBegun: break
    }
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    step = try container.decode(StepID.self, forKey: .step)
    seconds = try container.decode(Double.self, forKey: .seconds)
    let word = try container.decode(String.self, forKey: .outcome)
    switch word {
    case "done": outcome = .done
    case "interrupted": outcome = .interrupted
    case "not-begun": outcome = .notBegun
    case "failed": outcome = .failed(try container.decode(Diagnostic.self, forKey: .diagnostic))
    case "skipped":
      outcome = .skipped(blame: try container.decode(StepID.self, forKey: .blame))
    default:
      throw DecodingError.dataCorruptedError(
        forKey: .outcome, in: container, debugDescription: "\"\(word)\" is not an outcome")
    }
  }
}
