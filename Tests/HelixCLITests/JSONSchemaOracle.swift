import Foundation
import TestSupport

/// Python's jsonschema, which knows what a schema means better than we do.
enum JSONSchemaOracle {
  static let isThere = (try? run("python3", ["-c", "import jsonschema"]).status) == 0

  /// What it says of documents; the first that is not as the schema says ends it.
  static func check(_ documents: [URL], against schema: String) throws -> Ran {
    let file = FileManager.default.temporaryDirectory
      .appending(path: "helix-schema-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    try schema.write(to: file, atomically: true, encoding: .utf8)
    let program = """
      import json, jsonschema, sys
      schema = json.load(open(sys.argv[1]))
      jsonschema.validators.validator_for(schema).check_schema(schema)
      for path in sys.argv[2:]: jsonschema.validate(json.load(open(path)), schema)
      """
    return try run("python3", ["-c", program, file.path] + documents.map(\.path))
  }
}
