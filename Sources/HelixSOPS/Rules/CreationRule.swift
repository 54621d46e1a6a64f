package import HelixModel

/// One of the `creation_rules` of `.sops.yaml`: how a file is made that it is for.
package struct CreationRule: Sendable {
  /// Which rule it is, counted from one.
  package let number: Int
  package let location: SourceLocation
  /// What a file's path must match; nil for every file.
  package let pathPattern: RE2Pattern?
  package let keyGroups: [KeyGroup]
  /// Where each of its keys is written.
  package let keyLocations: [MasterKey: SourceLocation]
  /// How many of several groups are needed; nil for all of them.
  package let shamirThreshold: Int?
  /// Which values are encrypted; nil where the rule does not say.
  package let selection: SelectionRule?
  package let macOnlyEncrypted: Bool

  /// Which values are encrypted in a file that is made by the rule.
  package var selectionRule: SelectionRule { selection ?? .standard }
}

/// Which rule a file has, and why none of the others.
package struct RuleDecision: Sendable {
  /// What the rules' patterns were compared with.
  package let path: String
  /// The first rule that matches; nil when none does.
  package let rule: CreationRule?
  /// The rules before it.
  package let passedOver: [CreationRule]

  /// A line for each rule that was looked at.
  package var explanation: [String] {
    let refused = passedOver.map { rule in
      "\(rule.title) is not for it: \(rule.patternWords) does not match \"\(path)\""
    }
    guard let rule else { return refused + ["no rule is for \"\(path)\""] }
    guard rule.pathPattern != nil else {
      return refused + ["\(rule.title) is for it: it has no path_regex, and so takes every file"]
    }
    return refused + ["\(rule.title) is for it: \(rule.patternWords) matches \"\(path)\""]
  }
}

extension CreationRule {
  fileprivate var title: String { "rule \(number) (\(location))" }
  fileprivate var patternWords: String { "path_regex \"\(pathPattern?.text ?? "")\"" }
}
