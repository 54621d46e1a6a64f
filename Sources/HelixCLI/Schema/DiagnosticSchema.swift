/// The JSON Schema of an error, as all documents have it among their `$defs`.
enum DiagnosticSchema {
  static let definition = #"""
    "diagnostic": {
          "type": "object",
          "required": ["severity", "summary"],
          "additionalProperties": false,
          "properties": {
            "severity": { "enum": ["error", "warning", "note"] },
            "summary": { "type": "string" },
            "reason": { "type": "string" },
            "remedy": { "type": "string" },
            "place": { "type": "object", "minProperties": 1, "maxProperties": 1 },
            "evidence": { "type": "object" }
          }
        }
    """#
}
