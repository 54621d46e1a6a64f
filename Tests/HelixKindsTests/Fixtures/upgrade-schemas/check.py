"""check.py OBJECTS DEFINITION: holds Kubernetes objects (a JSON list) against their schemas."""

import json
import pathlib
import sys

import jsonschema
import kubernetes_validate
import yaml


def closed(schema):
    """The schema with unknown fields refused, as a strict API server refuses them."""
    if isinstance(schema, dict):
        if "properties" in schema and "additionalProperties" not in schema:
            schema["additionalProperties"] = False
        for value in schema.values():
            closed(value)
    elif isinstance(schema, list):
        for value in schema:
            closed(value)
    return schema


objects = json.loads(pathlib.Path(sys.argv[1]).read_text())
definition = yaml.safe_load(pathlib.Path(sys.argv[2]).read_text())
spec = closed(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"])
for one in objects:
    name = f'{one["kind"]} {one["metadata"]["name"]}'
    try:
        if one["kind"] == "Plan":
            jsonschema.validate(one["spec"], spec)
        else:
            kubernetes_validate.validate(one, "1.29", strict=True)
        print(f"good {name}")
    except (jsonschema.ValidationError, kubernetes_validate.ValidationError) as problem:
        print(f"bad {name}: {problem}".splitlines()[0])
        sys.exit(1)
