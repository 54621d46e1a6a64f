/// The JSON Schema of what `simulate --json` prints; docs/simulate.md tells the same in words.
enum SimulationSchema {
  static let text = #"""
    {
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": "helix-infra simulation",
      "type": "object",
      "required": ["format", "runs", "seed", "steps", "outcomes", "violations", "story"],
      "additionalProperties": false,
      "properties": {
        "format": { "const": "helix-infra/simulation" },
        "runs": { "type": "integer", "minimum": 1 },
        "seed": { "type": "integer", "description": "of the first run; each next one has the next" },
        "steps": { "type": "integer" },
        "outcomes": {
          "description": "how many runs ended done, partly-done, failed and interrupted",
          "type": "object",
          "additionalProperties": { "type": "integer" }
        },
        "fewestVoters": {
          "type": "object",
          "required": ["up", "of"],
          "additionalProperties": { "type": "integer" }
        },
        "violations": {
          "description": "what must never be; empty when all is well",
          "type": "array",
          "items": {
            "type": "object",
            "required": ["seed", "text"],
            "properties": { "seed": { "type": "integer" }, "text": { "type": "string" } }
          }
        },
        "story": {
          "description": "the first run that went wrong, or the one with the fewest voters up",
          "type": "object",
          "required": ["seed", "moments", "ends"],
          "properties": {
            "seed": { "type": "integer" },
            "moments": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["seconds", "text"],
                "properties": { "seconds": { "type": "number" }, "text": { "type": "string" } }
              }
            },
            "ends": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["step", "title", "outcome"],
                "properties": {
                  "step": { "type": "string" },
                  "title": { "type": "string" },
                  "outcome": { "enum": ["done", "failed", "skipped", "interrupted", "not-begun"] },
                  "reason": { "type": "string" }
                }
              }
            }
          }
        }
      }
    }
    """#
}
