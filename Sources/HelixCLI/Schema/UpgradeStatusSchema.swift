/// The JSON Schema of `upgrade status --json`; docs/upgrades.md tells the same in words.
enum UpgradeStatusSchema {
  static let text = #"""
    {
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": "helix-infra upgrade status",
      "type": "object",
      "required": [
        "format", "version", "state", "strategy", "wanted", "hop", "nodes", "problems"
      ],
      "additionalProperties": false,
      "properties": {
        "format": { "const": "helix-infra/upgrade-status" },
        "version": { "const": 1 },
        "state": { "enum": ["done", "under-way", "stuck"] },
        "strategy": { "enum": ["controller", "ssh"] },
        "wanted": { "type": "string", "description": "the release in the end, or a channel's URL" },
        "hop": {
          "type": "string",
          "description": "the release of this hop, or unknown; of a channel in an image tag's spelling"
        },
        "controller": { "type": "string", "description": "the controller's image" },
        "nodes": { "type": "array", "items": { "$ref": "#/$defs/node" } },
        "problems": { "type": "array", "items": { "$ref": "#/$defs/diagnostic" } }
      },
      "$defs": {
        "node": {
          "type": "object",
          "required": ["node", "role", "from", "isReady", "mark"],
          "additionalProperties": false,
          "properties": {
            "node": { "type": "string" },
            "role": { "enum": ["server", "agent"] },
            "from": { "type": "string", "description": "what its kubelet reports" },
            "to": { "type": "string", "description": "absent when it runs the hop's release" },
            "isReady": { "type": "boolean" },
            "cordoned": { "enum": ["helix-infra", "upgrade", "failed upgrade", "somebody"] },
            "mark": { "enum": ["done", "waiting", "held", "left out", "-"] },
            "job": { "type": "string" },
            "reason": { "type": "string" }
          }
        },
        \#(DiagnosticSchema.definition)
      }
    }
    """#
}
