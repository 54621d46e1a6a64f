package import HelixModel

/// The name of a step: the resource it serves and what it does there.
package struct StepID: Hashable, Sendable {
  package let address: Address
  package let name: String

  package init(_ address: Address, _ name: String) {
    self.address = address
    self.name = name
  }
}

extension StepID: TextCoded, Comparable {
  package static let noun = "a step"

  package init?(_ text: String) {
    guard let mark = text.lastIndex(of: "#"), let address = Address(String(text[..<mark])) else {
      return nil
    }
    self.init(address, String(text[text.index(after: mark)...]))
  }

  package var description: String { "\(address)#\(name)" }

  package static func < (left: StepID, right: StepID) -> Bool {
    (left.address, left.name) < (right.address, right.name)
  }
}

/// A piece of work that is safe to do again.
package struct Step: Hashable, Sendable, Codable {
  package var id: StepID
  /// For people: `start k3s and wait until master-1 is ready`.
  package var title: String
  /// Where its instructions run; nil for a step that only marks a place in the order.
  package var host: HostName?
  /// Must have succeeded.
  package var after: [StepID]
  /// Must have ended, however they ended.
  package var follows: [StepID]
  package var instructions: [Instruction]
  /// Done when one of them has failed, so that the host is left as it was found; not when the run
  /// was stopped, nor while it would cost a vote that etcd cannot spare.
  package var undo: [Instruction]
  package var spends: Budget?
  /// The server whose voter is well once it has succeeded.
  ///
  /// A step that spends `membership` and names nobody takes a member out.
  package var brings: HostName?
  /// Seconds for the whole step.
  package var timeout: Int

  package init(
    _ id: StepID, title: String, host: HostName?, after: [StepID] = [], follows: [StepID] = [],
    instructions: [Instruction], undo: [Instruction] = [], spends: Budget? = nil,
    brings: HostName? = nil, timeout: Int = 120
  ) {
    self.id = id
    self.title = title
    self.host = host
    self.after = after
    self.follows = follows
    self.instructions = instructions
    self.undo = undo
    self.spends = spends
    self.brings = brings
    self.timeout = timeout
  }
}
