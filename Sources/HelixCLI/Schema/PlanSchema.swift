/// The JSON Schema of a saved plan; docs/plan-json.md tells the same in words.
enum PlanSchema {
  static let text = #"""
    {
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": "helix-infra plan, format 2",
      "type": "object",
      "required": ["format", "request", "sources", "hosts", "summary", "plan"],
      "additionalProperties": false,
      "properties": {
        "format": { "const": "helix-infra/plan" },
        "request": {
          "type": "object",
          "required": ["inventory", "playbooks", "targets", "tags", "skipTags", "extraVariables"],
          "additionalProperties": false,
          "properties": {
            "inventory": { "type": "string" },
            "playbooks": { "$ref": "#/$defs/texts" },
            "limit": { "type": "string" },
            "targets": { "$ref": "#/$defs/texts" },
            "tags": { "$ref": "#/$defs/texts" },
            "skipTags": { "$ref": "#/$defs/texts" },
            "extraVariables": { "$ref": "#/$defs/texts" }
          }
        },
        "sources": {
          "description": "every file that was read, with its SHA-256",
          "type": "object",
          "additionalProperties": { "type": "string", "pattern": "^[0-9a-f]{64}$" }
        },
        "hosts": { "$ref": "#/$defs/texts" },
        "summary": {
          "type": "object",
          "required": ["create", "update", "replace", "delete", "heldBack", "refused"],
          "additionalProperties": { "type": "integer", "minimum": 0 }
        },
        "plan": {
          "type": "object",
          "required": ["format", "changes", "graph", "warnings"],
          "additionalProperties": false,
          "properties": {
            "format": { "const": 2 },
            "changes": { "type": "array", "items": { "$ref": "#/$defs/change" } },
            "graph": {
              "description": "steps in an order in which they could be done one by one",
              "type": "array",
              "items": { "$ref": "#/$defs/step" }
            },
            "quorum": { "$ref": "#/$defs/quorum" },
            "warnings": { "type": "array", "items": { "$ref": "#/$defs/diagnostic" } }
          }
        }
      },
      "$defs": {
        "texts": { "type": "array", "items": { "type": "string" } },
        "change": {
          "type": "object",
          "required": ["address", "action", "fields", "reason", "standing", "relied", "steps"],
          "additionalProperties": false,
          "properties": {
            "address": { "type": "string", "description": "host/kind:name" },
            "action": { "enum": ["create", "update", "replace", "delete", "none"] },
            "fields": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["name"],
                "additionalProperties": false,
                "properties": {
                  "name": { "type": "string" },
                  "before": { "type": "string" },
                  "after": { "type": "string" },
                  "diff": { "type": "string", "description": "a unified diff" }
                }
              }
            },
            "reason": { "type": "string" },
            "disruption": { "type": "string", "description": "what users will notice" },
            "standing": {
              "oneOf": [
                { "const": "planned" },
                {
                  "type": "object",
                  "required": ["heldBack"],
                  "properties": { "heldBack": { "$ref": "#/$defs/diagnostic" } }
                },
                {
                  "type": "object",
                  "required": ["refused"],
                  "properties": { "refused": { "$ref": "#/$defs/diagnostic" } }
                }
              ]
            },
            "relied": {
              "description": "the facts it was worked out from; apply FILE refuses when one moved",
              "type": "array",
              "items": {
                "type": "object",
                "required": ["host", "fact", "summary"],
                "additionalProperties": { "type": "string" }
              }
            },
            "steps": { "$ref": "#/$defs/texts" }
          }
        },
        "quorum": {
          "description": "how the votes are counted before a step that spends one",
          "type": "object",
          "required": ["seats", "script", "patience"],
          "additionalProperties": false,
          "properties": {
            "seats": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["host", "node"],
                "additionalProperties": { "type": "string" }
              }
            },
            "script": { "type": "string", "description": "POSIX sh that changes nothing" },
            "patience": { "type": "integer", "minimum": 0, "description": "seconds" }
          }
        },
        "instructions": {
          "type": "array",
          "items": {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": false,
            "properties": {
              "run": { "type": "string" },
              "launch": { "type": "object" },
              "reboot": { "type": "object" },
              "feed": { "type": "object" },
              "write": { "type": "object" },
              "install": { "type": "object" },
              "wait": { "type": "object" },
              "learn": { "type": "object" },
              "fetch": { "type": "object" }
            }
          }
        },
        "step": {
          "type": "object",
          "required": ["id", "title", "after", "follows", "instructions", "undo", "timeout"],
          "additionalProperties": false,
          "properties": {
            "id": { "type": "string", "description": "address#name" },
            "title": { "type": "string" },
            "host": { "type": "string" },
            "after": { "$ref": "#/$defs/texts", "description": "must have succeeded" },
            "follows": { "$ref": "#/$defs/texts", "description": "must have ended" },
            "spends": { "type": "string", "pattern": "^(voter:.+|any-voter|membership)$" },
            "brings": {
              "type": "string",
              "description": "the server whose voter is well once the step has succeeded"
            },
            "timeout": { "type": "integer", "minimum": 1, "description": "seconds" },
            "instructions": { "$ref": "#/$defs/instructions" },
            "undo": {
              "$ref": "#/$defs/instructions", "description": "done when one of them has failed"
            }
          }
        },
        \#(DiagnosticSchema.definition)
      }
    }
    """#
}
