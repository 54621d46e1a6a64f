/// One wrapped copy of a file's key.
package struct AgeStanza: Hashable, Sendable {
  package var type: String
  package var arguments: [String]
  package var body: [UInt8]

  package init(type: String, arguments: [String], body: [UInt8]) {
    self.type = type
    self.arguments = arguments
    self.body = body
  }
}
