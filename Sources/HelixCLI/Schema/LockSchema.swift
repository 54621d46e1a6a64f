/// The JSON Schema of `unlock --json`; docs/locking.md tells the same in words.
enum LockSchema {
  /// Who holds the lock, by the name `holder`; a part of other schemas, too.
  static let holder = #"""
    "holder": {
      "type": "object",
      "required": [
        "number", "run", "user", "host", "pid", "command", "started", "heldSeconds",
        "renewedSeconds", "timeToLiveSeconds"
      ],
      "additionalProperties": false,
      "properties": {
        "number": { "type": "integer", "minimum": 0, "description": "higher than any run's before" },
        "run": { "type": "string" },
        "user": { "type": "string" },
        "host": { "type": "string", "description": "the machine that the run is on" },
        "pid": { "type": "integer", "minimum": 0 },
        "command": { "type": "string" },
        "started": { "type": "string", "description": "by that machine's clock; for people" },
        "heldSeconds": { "type": "integer", "minimum": 0, "description": "by the server's uptime" },
        "renewedSeconds": { "type": "integer", "minimum": 0, "description": "by the server's uptime" },
        "timeToLiveSeconds": { "type": "integer", "minimum": 0 }
      }
    }
    """#

  static let text = #"""
    {
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": "helix-infra lock, version 1",
      "type": "object",
      "required": ["format", "version", "cluster", "servers"],
      "additionalProperties": false,
      "properties": {
        "format": { "const": "helix-infra/lock" },
        "version": { "const": 1 },
        "cluster": { "type": "string" },
        "servers": { "type": "array", "items": { "$ref": "#/$defs/server" } }
      },
      "$defs": {
        \#(DiagnosticSchema.definition),
        \#(holder),
        "server": {
          "type": "object",
          "required": ["host", "state", "removed"],
          "additionalProperties": false,
          "properties": {
            "host": { "type": "string" },
            "state": {
              "enum": ["free", "live", "gone", "expired", "silent"],
              "description": "gone: its process, on the asker's machine, has ended"
            },
            "holder": { "$ref": "#/$defs/holder" },
            "removed": { "type": "boolean", "description": "whether the copy was taken away" },
            "unreachable": { "$ref": "#/$defs/diagnostic" }
          },
          "allOf": [
            {
              "if": { "properties": { "state": { "const": "silent" } } },
              "then": { "required": ["unreachable"] },
              "else": { "not": { "required": ["unreachable"] } }
            },
            {
              "if": { "properties": { "state": { "enum": ["live", "gone", "expired"] } } },
              "then": { "required": ["holder"] },
              "else": { "not": { "required": ["holder"] } }
            }
          ]
        }
      }
    }
    """#
}
