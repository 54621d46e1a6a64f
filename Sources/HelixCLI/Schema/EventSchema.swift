/// The JSON Schema of one line of `apply --json`; docs/run-record.md tells the same in words.
///
/// A line of a run record is the same object with `version` and `time` beside it.
enum EventSchema {
  static let text = #"""
    {
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": "helix-infra event, version 1",
      "type": "object",
      "required": ["event"],
      "properties": {
        "version": { "const": 1 },
        "time": { "type": "string" },
        "event": {
          "enum": [
            "host-asked", "host-answered", "host-silent", "run-started", "step-waiting",
            "step-started", "instruction-started", "note", "uploading", "step-ended", "run-stopping",
            "run-ended"
          ]
        }
      },
      "allOf": [
        {
          "if": { "properties": { "event": { "const": "run-started" } } },
          "then": {
            "required": ["changes", "steps", "parallelism"],
            "properties": {
              "changes": { "type": "object", "additionalProperties": { "type": "integer" } },
              "steps": { "type": "integer" },
              "parallelism": { "type": "integer" }
            }
          }
        },
        {
          "if": { "properties": { "event": { "const": "step-waiting" } } },
          "then": {
            "required": ["step", "title", "words"],
            "properties": {
              "step": { "type": "string" },
              "title": { "type": "string" },
              "host": { "type": "string" },
              "words": { "type": "string" }
            }
          }
        },
        {
          "if": { "properties": { "event": { "const": "step-started" } } },
          "then": {
            "required": ["step", "title"],
            "properties": {
              "step": { "type": "string" },
              "title": { "type": "string" },
              "host": { "type": "string" }
            }
          }
        },
        {
          "if": { "properties": { "event": { "const": "uploading" } } },
          "then": {
            "required": ["step", "file", "sent", "total"],
            "properties": {
              "step": { "type": "string" },
              "file": { "type": "string" },
              "sent": { "type": "integer" },
              "total": { "type": "integer" }
            }
          }
        },
        {
          "if": { "properties": { "event": { "const": "step-ended" } } },
          "then": {
            "required": ["step", "outcome", "seconds"],
            "properties": {
              "step": { "type": "string" },
              "outcome": { "enum": ["done", "failed", "skipped", "interrupted", "not-begun"] },
              "seconds": { "type": "number" },
              "diagnostic": { "type": "object" },
              "blame": { "type": "string" }
            }
          }
        },
        {
          "if": { "properties": { "event": { "const": "run-ended" } } },
          "then": {
            "required": ["verdict", "steps", "seconds"],
            "properties": {
              "verdict": { "enum": ["done", "failed", "partly-done", "interrupted"] },
              "steps": { "type": "object", "additionalProperties": { "type": "integer" } },
              "seconds": { "type": "number" }
            }
          }
        }
      ]
    }
    """#
}
