/// The sixteen bytes that a file's payload is encrypted under.
package struct AgeFileKey: Sendable {
  let bytes: [UInt8]
}
