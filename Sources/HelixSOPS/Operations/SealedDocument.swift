import HelixModel

/// An encrypted file as it lies on disk, read but not decrypted.
package struct SealedDocument: Sendable {
  let text: SOPSText
  package private(set) var metadata: SOPSMetadata

  /// - Throws: a `SOPSProblem` when the text or its `sops` block cannot be read.
  package init(_ text: SOPSText) throws(SOPSProblem) {
    self.text = text
    let file = text.file
    guard let block = text.metadata else { throw .notEncrypted(file: file) }
    do throws(MetadataProblem) {
      metadata = try SOPSMetadata(block)
    } catch {
      throw .metadata(error, file: file)
    }
  }

  /// Reads a file's bytes.
  ///
  /// - Throws: a `SOPSProblem` when they make no encrypted file.
  package init(
    _ bytes: [UInt8], format: SOPSFormat, file: String
  ) throws(SOPSProblem) {
    try self.init(try SOPSText.reading(bytes, format: format, file: file))
  }

  package var file: String { text.file }

  /// Whom the file is for.
  package var recipients: [KeyGroup] { metadata.recipients }

  /// Whether one of the file's keys is this one, however it is written.
  package func isWrapped(for key: MasterKey) -> Bool {
    recipients.contains { $0.canonical.contains(key.canonical) }
  }
}

extension SOPSText {
  static func reading(
    _ bytes: [UInt8], format: SOPSFormat, file: String
  ) throws(SOPSProblem) -> SOPSText {
    do throws(Diagnostic) {
      return try parse(bytes, format: format, file: file)
    } catch {
      throw .text(error)
    }
  }
}
