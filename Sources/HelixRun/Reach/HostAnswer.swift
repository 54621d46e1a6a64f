import HelixModel

/// What one of many hosts answered that were asked at once.
///
/// A class rather than a tuple: optimised builds of Swift 6.3 make a wrong copy of a tuple with a
/// Result when it is what a task group's child returns.
final class HostAnswer<Value: Sendable>: Sendable {
  let host: HostName
  let value: Value

  init(_ host: HostName, _ value: Value) {
    self.host = host
    self.value = value
  }
}
