import Testing

/// Everything that needs the lab; one after the other, since there is one lab.
@Suite(
  "on real machines", .serialized,
  .disabled(if: Lab.missing != nil, Comment(rawValue: Lab.missing ?? "")))
struct OnRealMachines {}
