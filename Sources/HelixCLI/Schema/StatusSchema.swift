/// The JSON Schema of `status --json`; docs/status.md tells the same in words.
enum StatusSchema {
  static let text = #"""
    {
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": "helix-infra status, version 1",
      "type": "object",
      "required": [
        "format", "version", "healthy", "cluster", "standing", "release", "nodes", "upgradePlans",
        "problems"
      ],
      "additionalProperties": false,
      "properties": {
        "format": { "const": "helix-infra/status" },
        "version": { "const": 1 },
        "healthy": { "type": "boolean", "description": "whether no problem is an error" },
        "cluster": { "type": "string" },
        "standing": { "enum": ["living", "asleep", "new", "unclear"] },
        "release": { "type": "string", "description": "what the inventory wants" },
        "etcd": { "$ref": "#/$defs/etcd" },
        "endpoint": {
          "type": "object",
          "required": ["address"],
          "additionalProperties": false,
          "properties": { "address": { "type": "string" }, "answers": { "type": "boolean" } }
        },
        "nodes": { "type": "array", "items": { "$ref": "#/$defs/node" } },
        "upgradePlans": { "type": "array", "items": { "$ref": "#/$defs/upgradePlan" } },
        "clockReference": {
          "type": "integer",
          "description": "seconds that the hosts, which agree with each other, are ahead of the asker"
        },
        "pods": {
          "type": "object",
          "required": ["notReady", "first"],
          "additionalProperties": false,
          "properties": {
            "notReady": { "type": "integer", "minimum": 0 },
            "first": { "type": "array", "maxItems": 200, "items": { "$ref": "#/$defs/pod" } }
          }
        },
        "lock": {
          "type": "object",
          "description": "absent when too few servers say",
          "required": ["state", "servers", "copies"],
          "additionalProperties": false,
          "properties": {
            "state": { "enum": ["free", "live", "gone", "expired"] },
            "holder": { "$ref": "#/$defs/holder" },
            "servers": { "type": "array", "items": { "type": "string" } },
            "copies": { "type": "integer", "minimum": 1, "description": "how many servers there are" }
          }
        },
        "problems": { "type": "array", "items": { "$ref": "#/$defs/diagnostic" } }
      },
      "$defs": {
        \#(DiagnosticSchema.definition),
        \#(LockSchema.holder),
        "bytes": { "type": "integer", "minimum": 0, "description": "bytes" },
        "etcd": {
          "type": "object",
          "required": ["voters", "well", "spare"],
          "additionalProperties": false,
          "properties": {
            "voters": { "type": "integer", "minimum": 1 },
            "well": { "type": "integer", "minimum": 0 },
            "spare": { "type": "integer", "description": "how many may stop; -1 and less: no majority" },
            "leader": { "type": "string" },
            "databaseBytes": { "$ref": "#/$defs/bytes" }
          }
        },
        "node": {
          "type": "object",
          "required": ["name", "role", "declared", "pressures", "cordoned"],
          "additionalProperties": false,
          "properties": {
            "name": { "type": "string" },
            "role": { "enum": ["server", "agent"] },
            "declared": { "type": "boolean", "description": "whether the inventory has it" },
            "unreachable": { "$ref": "#/$defs/diagnostic" },
            "version": { "type": "string", "description": "what its kubelet reports" },
            "installed": { "type": "string", "description": "what is on its disk" },
            "service": {
              "type": "object",
              "required": ["unit", "state"],
              "additionalProperties": false,
              "properties": {
                "unit": { "type": "string" },
                "state": { "type": "string", "description": "systemd's word" },
                "restarts": { "type": "integer", "minimum": 0 }
              }
            },
            "ready": { "type": "boolean", "description": "as the cluster sees it" },
            "reason": { "type": "string" },
            "pressures": { "type": "array", "items": { "type": "string" } },
            "cordoned": { "type": "boolean" },
            "cordonedBy": { "type": "string" },
            "etcd": {
              "type": "object",
              "required": ["healthy"],
              "additionalProperties": false,
              "properties": {
                "part": { "enum": ["leader", "follower", "learner"] },
                "healthy": { "type": "boolean" },
                "fsync99Milliseconds": { "type": "number", "minimum": 0 },
                "leaderChanges": { "type": "integer", "minimum": 0 },
                "databaseBytes": { "$ref": "#/$defs/bytes" },
                "quotaBytes": { "$ref": "#/$defs/bytes" }
              }
            },
            "clockOffset": { "type": "integer", "description": "seconds ahead of the asker" },
            "certificate": {
              "type": "object",
              "description": "the one that ends first",
              "required": ["file", "ends", "days"],
              "additionalProperties": false,
              "properties": {
                "file": { "type": "string" },
                "ends": { "type": "integer", "description": "seconds since 1970" },
                "days": { "type": "integer" }
              }
            },
            "disk": {
              "type": "object",
              "required": ["total", "free"],
              "additionalProperties": false,
              "properties": {
                "total": { "$ref": "#/$defs/bytes" }, "free": { "$ref": "#/$defs/bytes" }
              }
            },
            "podsNotReady": { "type": "integer", "minimum": 0 }
          }
        },
        "upgradePlan": {
          "type": "object",
          "required": ["namespace", "name", "applying", "done"],
          "additionalProperties": false,
          "properties": {
            "namespace": { "type": "string" },
            "name": { "type": "string" },
            "version": { "type": "string", "description": "an image's tag" },
            "applying": { "type": "array", "items": { "type": "string" } },
            "done": { "type": "integer", "minimum": 0 },
            "complaint": { "type": "string" }
          }
        },
        "pod": {
          "type": "object",
          "required": ["namespace", "name", "ready", "reason"],
          "additionalProperties": false,
          "properties": {
            "namespace": { "type": "string" },
            "name": { "type": "string" },
            "ready": { "type": "string" },
            "reason": { "type": "string" },
            "node": { "type": "string" }
          }
        }
      }
    }
    """#
}
