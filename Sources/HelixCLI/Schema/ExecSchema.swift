/// The JSON Schema of one line of `exec --json`; docs/exec.md tells the same in words.
enum ExecSchema {
  static let text = #"""
    {
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": "helix-infra exec, one host",
      "type": "object",
      "required": ["host", "seconds"],
      "additionalProperties": false,
      "properties": {
        "host": { "type": "string" },
        "seconds": { "type": "number", "minimum": 0 },
        "status": {
          "type": "integer", "minimum": 0, "maximum": 255,
          "description": "128 + n when signal n ended it"
        },
        "stdout": { "type": "string" },
        "stderr": { "type": "string" },
        "truncated": { "type": "boolean", "description": "there was more than is kept" },
        "unreachable": {
          "$ref": "#/$defs/diagnostic",
          "description": "why it could not run there, or its end not be seen"
        }
      },
      "oneOf": [
        { "required": ["status", "stdout", "stderr", "truncated"] },
        { "required": ["unreachable"] }
      ],
      "$defs": {
        \#(DiagnosticSchema.definition)
      }
    }
    """#
}
