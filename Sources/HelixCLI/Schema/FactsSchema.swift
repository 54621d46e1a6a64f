/// The JSON Schema of `facts --json`; docs/facts.md tells the same in words.
enum FactsSchema {
  static let text = #"""
    {
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": "helix-infra facts, version 1",
      "type": "object",
      "required": ["format", "version", "hosts"],
      "additionalProperties": false,
      "properties": {
        "format": { "const": "helix-infra/facts" },
        "version": { "const": 1 },
        "hosts": {
          "type": "object",
          "additionalProperties": {
            "oneOf": [{ "$ref": "#/$defs/facts" }, { "$ref": "#/$defs/silence" }]
          }
        }
      },
      "$defs": {
        "bytes": { "type": "integer", "minimum": 0, "description": "bytes" },
        "space": {
          "type": "object",
          "additionalProperties": false,
          "properties": {
            "total": { "$ref": "#/$defs/bytes" },
            "available": { "$ref": "#/$defs/bytes" }
          }
        },
        "silence": {
          "type": "object",
          "required": ["unreachable"],
          "additionalProperties": false,
          "properties": {
            "unreachable": { "$ref": "#/$defs/diagnostic" }
          }
        },
        \#(DiagnosticSchema.definition),
        "facts": {
          "type": "object",
          "required": [
            "hostname", "machineID", "bootID", "system", "machine", "memory", "swap", "rootDisk",
            "network", "clock", "login"
          ],
          "additionalProperties": false,
          "properties": {
            "hostname": { "type": "string" },
            "machineID": { "type": "string" },
            "bootID": { "type": "string" },
            "system": {
              "type": "object",
              "required": ["name", "kernel"],
              "additionalProperties": false,
              "properties": {
                "id": { "type": "string", "description": "os-release's ID" },
                "version": { "type": "string", "description": "os-release's VERSION_ID" },
                "name": { "type": "string", "description": "os-release's PRETTY_NAME" },
                "kernel": { "type": "string" }
              }
            },
            "machine": {
              "type": "object",
              "required": ["architecture"],
              "additionalProperties": false,
              "properties": {
                "architecture": { "type": "string", "description": "as uname -m has it" },
                "virtualisation": { "type": "string", "description": "none on bare metal" },
                "cpus": { "type": "integer", "minimum": 1 }
              }
            },
            "memory": { "$ref": "#/$defs/space" },
            "swap": { "$ref": "#/$defs/space" },
            "rootDisk": { "$ref": "#/$defs/space" },
            "network": {
              "type": "object",
              "required": ["addresses", "interfaces", "defaultRoutes"],
              "additionalProperties": false,
              "properties": {
                "addresses": { "type": "array", "items": { "type": "string" } },
                "interfaces": {
                  "description": "addresses with prefix lengths, but for the loopback's",
                  "type": "object",
                  "additionalProperties": { "type": "array", "items": { "type": "string" } }
                },
                "defaultRoutes": {
                  "type": "array",
                  "items": {
                    "type": "object",
                    "required": ["interface"],
                    "additionalProperties": false,
                    "properties": {
                      "interface": { "type": "string" },
                      "gateway": { "type": "string" },
                      "address": { "type": "string", "description": "the host's own" }
                    }
                  }
                }
              }
            },
            "uptime": { "type": "integer", "minimum": 0, "description": "seconds" },
            "clock": {
              "type": "object",
              "required": ["time"],
              "additionalProperties": false,
              "properties": {
                "time": { "type": "integer", "description": "seconds since 1970" },
                "offset": { "type": "integer", "description": "seconds ahead of the asker" }
              }
            },
            "timezone": { "type": "string" },
            "systemd": {
              "type": "object",
              "required": ["version"],
              "additionalProperties": false,
              "properties": { "version": { "type": "string" }, "state": { "type": "string" } }
            },
            "k3s": {
              "type": "object",
              "required": ["services"],
              "additionalProperties": false,
              "properties": {
                "version": { "type": "string" },
                "sha256": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
                "services": {
                  "type": "object",
                  "additionalProperties": {
                    "type": "object",
                    "required": ["state", "enabled"],
                    "additionalProperties": false,
                    "properties": {
                      "state": { "type": "string" },
                      "enabled": { "type": "boolean" }
                    }
                  }
                },
                "datastore": { "enum": ["etcd", "sqlite"] },
                "etcdHealthy": { "type": "boolean" }
              }
            },
            "login": {
              "type": "object",
              "required": ["user", "runsAs"],
              "additionalProperties": false,
              "properties": {
                "user": { "type": "string" },
                "runsAs": { "type": "string" },
                "through": { "enum": ["sudo", "doas"] }
              }
            }
          }
        }
      }
    }
    """#
}
