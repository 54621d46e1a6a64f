"""Prints what PyYAML makes of each plain scalar of a file, as JSON."""
import json
import sys

import yaml

for text in open(sys.argv[1], encoding="utf-8").read().splitlines():
    value = yaml.safe_load("- " + text)[0]
    print(text, "=", json.dumps(value, default=str))
