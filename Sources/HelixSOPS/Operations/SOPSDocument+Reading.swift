import HelixModel

extension SOPSDocument {
  /// The plain text: the file's own, with values in the place of ciphertexts and without the
  /// `sops` block.
  ///
  /// - Throws: a `SOPSProblem` when the text has a form that cannot be changed in place.
  package func decrypted() throws(SOPSProblem) -> [UInt8] {
    var replacements: [Int: Replacement] = [:]
    for (index, leaf) in leaves.enumerated() where leaf.isEncrypted {
      if leaf.value == leaf.item.value { continue }
      replacements[index] = .value(leaf.value)
    }
    return try sealed.text.rewritten(replacements, metadata: nil)
  }

  /// The values of the file with their places, in the file's order, without comments.
  package var values: [(place: SOPSPlace, value: SOPSValue)] {
    leaves.filter { !$0.value.isComment }.map { ($0.item.sopsPlace, $0.value) }
  }

  /// The places whose values the file keeps secret.
  package var secretPlaces: [SOPSPlace] {
    leaves.filter { $0.isEncrypted && !$0.value.isComment && $0.value != .text([]) }
      .map(\.item.sopsPlace)
  }

  /// The value, or what is below it, at a path in the first document, as `--extract` prints it.
  ///
  /// - Throws: `noSuchPlace`.
  package func extracted(_ path: [PathStep]) throws(SOPSProblem) -> [UInt8] {
    let plain = try SOPSText.reading(try decrypted(), format: sealed.text.format, file: file)
    guard let excerpt = try? plain.excerpt(at: path) else {
      throw .noSuchPlace(path, file: file)
    }
    return excerpt
  }
}

extension SOPSText {
  func rewritten(
    _ replacements: [Int: Replacement], metadata: MetadataValue?
  ) throws(SOPSProblem) -> [UInt8] {
    do throws(Diagnostic) {
      return try replacing(replacements, metadata: metadata)
    } catch {
      throw .text(error)
    }
  }
}
