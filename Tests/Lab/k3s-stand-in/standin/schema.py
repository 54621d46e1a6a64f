"""Structural schemas of custom resources: what is pruned, defaulted, and refused with which words.

Also the little that is checked of Kubernetes' own kinds, whose schemas are not here.
"""

import json
import re

from standin.apierror import ApiError, invalid

SPECIAL = ("apiVersion", "kind", "metadata")
# Fields of built-in kinds that people get wrong in YAML: text where a number was meant, and the reverse.
TEXTS = {"labels", "annotations", "matchLabels", "stringData"}
NUMBERS = {"replicas", "containerPort", "revisionHistoryLimit", "terminationGracePeriodSeconds",
           "minReadySeconds", "progressDeadlineSeconds", "backoffLimit", "parallelism", "completions"}


def prune(schema, value):
    """A value without the fields its schema does not know, and with the schema's defaults."""
    if isinstance(value, list):
        return [prune(schema.get("items") or {}, item) for item in value]
    if not isinstance(value, dict):
        return value
    known, rest = schema.get("properties", {}), schema.get("additionalProperties")
    free = schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("x-kubernetes-embedded-resource")
    result = {}
    for key, child in value.items():
        if key in known:
            result[key] = prune(known[key], child)
        elif isinstance(rest, dict):
            result[key] = prune(rest, child)
        elif free or rest is True:
            result[key] = child
    for key, child in known.items():
        if key not in result and "default" in child:
            result[key] = json.loads(json.dumps(child["default"]))
    return result


def pruned(schema, item):
    """A whole object, pruned below what every object has."""
    body = prune(schema, {key: value for key, value in item.items() if key not in SPECIAL})
    return {**{key: item[key] for key in SPECIAL if key in item}, **body}


# --- the words of validation ------------------------------------------------------------------

class Mistake:
    """One cause in a refusal: a field, a reason and its words."""

    def __init__(self, reason, field, message):
        self.reason, self.field, self.message = reason, field, message


def _wrong(field, value, message):
    return Mistake("FieldValueInvalid", field, f"Invalid value: {json.dumps(value)}: {field} in body {message}")


def mistakes(schema, value, field=""):
    """Every way in which a value breaks its schema."""
    if value is None:
        return [] if schema.get("nullable") or "type" not in schema else _type_mistake(schema["type"], value, field)
    if schema.get("x-kubernetes-int-or-string"):
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            return [_wrong(field, type_name(value), f"must be of type integer,string: {json.dumps(type_name(value))}")]
    elif "type" in schema and not _is(schema["type"], value):
        return _type_mistake(schema["type"], value, field)
    found = []
    if "enum" in schema and value not in schema["enum"]:
        choices = ", ".join(json.dumps(one) for one in schema["enum"])
        found.append(Mistake("FieldValueNotSupported", field,
                             f"Unsupported value: {json.dumps(value)}: supported values: {choices}"))
    if isinstance(value, str):
        found += _text_mistakes(schema, value, field)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        found += _number_mistakes(schema, value, field)
    elif isinstance(value, list):
        found += _list_mistakes(schema, value, field)
    elif isinstance(value, dict):
        found += _map_mistakes(schema, value, field)
    return [*found, *_choice_mistakes(schema, value, field)]


def type_name(value):
    """A value's type in OpenAPI's words."""
    return {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object",
            type(None): "null"}[type(value)]


def _is(wanted, value):
    found = type_name(value)
    return found == wanted or wanted == "number" and found == "integer" or \
        wanted == "integer" and found == "number" and value == int(value)


def _type_mistake(wanted, value, field):
    found = type_name(value)
    return [Mistake("FieldValueTypeInvalid", field, f'Invalid value: "{found}": {field} in body must be of type '
                    f'{wanted}: "{found}"')]


def _text_mistakes(schema, value, field):
    if len(value) < schema.get("minLength", 0):
        yield _wrong(field, value, f"should be at least {schema['minLength']} chars long")
    if len(value) > schema.get("maxLength", len(value)):
        yield Mistake("FieldValueTooLong", field, f"Too long: may not be longer than {schema['maxLength']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield _wrong(field, value, f"should match '{schema['pattern']}'")


def _number_mistakes(schema, value, field):
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and (value < low or value == low and schema.get("exclusiveMinimum")):
        yield _wrong(field, value, f"should be greater than {'' if schema.get('exclusiveMinimum') else 'or equal to '}"
                     f"{low}")
    if high is not None and (value > high or value == high and schema.get("exclusiveMaximum")):
        yield _wrong(field, value, f"should be less than {'' if schema.get('exclusiveMaximum') else 'or equal to '}"
                     f"{high}")
    if schema.get("multipleOf") and value % schema["multipleOf"]:
        yield _wrong(field, value, f"should be a multiple of {schema['multipleOf']}")


def _list_mistakes(schema, value, field):
    if len(value) < schema.get("minItems", 0):
        yield _wrong(field, len(value), f"should have at least {schema['minItems']} items")
    if len(value) > schema.get("maxItems", len(value)):
        yield Mistake("FieldValueTooMany", field,
                      f"Too many: {len(value)}: must have at most {schema['maxItems']} items")
    for place, item in enumerate(value):
        yield from mistakes(schema.get("items") or {}, item, f"{field}[{place}]")


def _map_mistakes(schema, value, field):
    prefix = field + "." if field else ""
    for name in schema.get("required", []):
        if name not in value:
            yield Mistake("FieldValueRequired", prefix + name, "Required value")
    known, rest = schema.get("properties", {}), schema.get("additionalProperties")
    for key, child in value.items():
        if field or key not in SPECIAL:
            below = known.get(key, rest if isinstance(rest, dict) else {})
            yield from mistakes(below, child, prefix + key)


def _choice_mistakes(schema, value, field):
    if schema.get("x-kubernetes-int-or-string"):
        return
    for part in schema.get("allOf", []):
        yield from mistakes(part, value, field)
    for word, least, most in (("anyOf", 1, None), ("oneOf", 1, 1)):
        fits = sum(1 for part in schema.get(word, []) if not mistakes(part, value, field))
        if word in schema and (fits < least or most and fits > most):
            text = "at least one schema (anyOf)" if word == "anyOf" else "one and only one schema (oneOf)"
            yield Mistake("FieldValueInvalid", field, f'Invalid value: "": "{field}" must validate {text}')
    if "not" in schema and not mistakes(schema["not"], value, field):
        yield Mistake("FieldValueInvalid", field, f'Invalid value: "": "{field}" must not validate the schema (not)')


def check(kind, item, before=None):
    """Refuse an object that breaks its schema or the rules of its kind, or changes what may not change."""
    found = mistakes(kind.schema(item["apiVersion"].rpartition("/")[2]), item) if kind.custom else \
        [*built_in_mistakes(kind, item), *(changed_mistakes(kind, before, item) if before else ())]
    if found:
        refuse(kind, item["metadata"].get("name", ""), found)


def refuse(kind, name, found):
    """Raise Invalid with every cause, as the API lists them."""
    texts = [f"{one.field}: {one.message}" for one in found]
    text = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    raise invalid(kind, name, text, [
        {"reason": one.reason, "message": one.message, "field": one.field} for one in found])


# --- Kubernetes' own kinds --------------------------------------------------------------------

def built_in_mistakes(kind, item):
    """The rules of built-in kinds that manifests break most."""
    spec = item.get("spec") or {}
    if kind.name in ("Deployment", "DaemonSet", "StatefulSet", "ReplicaSet"):
        labels = (spec.get("template", {}).get("metadata") or {}).get("labels") or {}
        wanted = (spec.get("selector") or {}).get("matchLabels") or {}
        if not spec.get("selector"):
            yield Mistake("FieldValueRequired", "spec.selector", "Required value")
        elif not wanted.items() <= labels.items():
            shown = "map[string]string{" + ", ".join(f'"{key}":"{labels[key]}"' for key in sorted(labels)) + "}"
            yield Mistake("FieldValueInvalid", "spec.template.metadata.labels",
                          f"Invalid value: {shown}: `selector` does not match template `labels`")
        yield from _pod_mistakes(spec.get("template", {}).get("spec") or {}, "spec.template.spec")
        policy = spec.get("template", {}).get("spec", {}).get("restartPolicy", "Always")
        if policy != "Always":
            yield Mistake("FieldValueNotSupported", "spec.template.spec.restartPolicy",
                          f'Unsupported value: "{policy}": supported values: "Always"')
    elif kind.name == "Pod":
        yield from _pod_mistakes(spec, "spec")
    elif kind.name == "Service" and spec.get("type") != "ExternalName" and not spec.get("ports") \
            and spec.get("clusterIP") != "None":
        yield Mistake("FieldValueRequired", "spec.ports", "Required value")
    elif kind.name == "CustomResourceDefinition":
        wanted = f'{spec.get("names", {}).get("plural")}.{spec.get("group")}'
        if item["metadata"]["name"] != wanted:
            yield Mistake("FieldValueInvalid", "metadata.name", f'Invalid value: "{item["metadata"]["name"]}": must be '
                          'spec.names.plural+"."+spec.group')
        for place, version in enumerate(spec.get("versions") or []):
            if not (version.get("schema") or {}).get("openAPIV3Schema"):
                yield Mistake("FieldValueRequired", f"spec.versions[{place}].schema.openAPIV3Schema",
                              "Required value: schemas are required")
    elif kind.name in ("RoleBinding", "ClusterRoleBinding"):
        for place, subject in enumerate(item.get("subjects") or []):
            if subject.get("kind") == "ServiceAccount" and not subject.get("namespace"):
                yield Mistake("FieldValueRequired", f"subjects[{place}].namespace", "Required value")


def changed_mistakes(kind, before, item):
    """Fields that stay as they were made."""
    old, new = before.get("spec") or {}, item.get("spec") or {}
    if kind.name in ("Deployment", "DaemonSet", "ReplicaSet") and old.get("selector") != new.get("selector"):
        labels = (new.get("selector") or {}).get("matchLabels") or {}
        shown = ", ".join(f'"{key}":"{labels[key]}"' for key in sorted(labels))
        yield Mistake("FieldValueInvalid", "spec.selector", "Invalid value: v1.LabelSelector{MatchLabels:map[string]"
                      f"string{{{shown}}}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}}: field is immutable")
    if kind.name == "StatefulSet" and any(
            old.get(key) != new.get(key) for key in ("selector", "serviceName", "podManagementPolicy",
                                                     "volumeClaimTemplates", "revisionHistoryLimit")):
        yield Mistake("FieldValueForbidden", "spec", "Forbidden: updates to statefulset spec for fields other than "
                      "'replicas', 'ordinals', 'template', 'updateStrategy', 'persistentVolumeClaimRetentionPolicy' "
                      "and 'minReadySeconds' are forbidden")
    if kind.name == "Service" and old.get("clusterIP") and new.get("type") == old.get("type") != "ExternalName" \
            and new.get("clusterIP") != old["clusterIP"]:
        yield Mistake("FieldValueInvalid", "spec.clusterIPs[0]",
                      f'Invalid value: {json.dumps([new.get("clusterIP")])}: may not change once set')
    if kind.name in ("RoleBinding", "ClusterRoleBinding") and before.get("roleRef") != item.get("roleRef"):
        role = item.get("roleRef") or {}
        yield Mistake("FieldValueInvalid", "roleRef", f'Invalid value: rbac.RoleRef{{APIGroup:"{role.get("apiGroup")}"'
                      f', Kind:"{role.get("kind")}", Name:"{role.get("name")}"}}: cannot change roleRef')
    if kind.name == "Secret" and before.get("type") != item.get("type"):
        yield Mistake("FieldValueInvalid", "type", f'Invalid value: {json.dumps(item.get("type"))}: field is immutable')
    if kind.name in ("Secret", "ConfigMap") and before.get("immutable") and before.get("data") != item.get("data"):
        yield Mistake("FieldValueForbidden", "data", "Forbidden: field is immutable when `immutable` is set")


def _pod_mistakes(spec, field):
    if not spec.get("containers"):
        yield Mistake("FieldValueRequired", f"{field}.containers", "Required value")
    volumes = {volume.get("name") for volume in spec.get("volumes") or []}
    for group in ("initContainers", "containers"):
        for place, container in enumerate(spec.get(group) or []):
            here = f"{field}.{group}[{place}]"
            if not container.get("name"):
                yield Mistake("FieldValueRequired", f"{here}.name", "Required value")
            if not container.get("image"):
                yield Mistake("FieldValueRequired", f"{here}.image", "Required value")
            for at, mount in enumerate(container.get("volumeMounts") or []):
                if mount.get("name") not in volumes:
                    yield Mistake("FieldValueNotFound", f"{here}.volumeMounts[{at}].name",
                                  f"Not found: {json.dumps(mount.get('name', ''))}")


# --- typed values, for server-side apply ------------------------------------------------------

def typed_mistakes(schema, value, field=""):
    """What keeps a value from being read as its type, in the words of the structured merge."""
    if value is None:
        return
    if schema.get("x-kubernetes-int-or-string"):
        if isinstance(value, (dict, list, bool)):
            yield f"{field}: expected any scalar, got {_go(value)}"
        return
    wanted = schema.get("type")
    if wanted in ("integer", "number") and (isinstance(value, bool) or not isinstance(value, (int, float))):
        yield f"{field}: expected numeric (int or float), got {_go_type(value)}"
    elif wanted == "string" and not isinstance(value, str):
        yield f"{field}: expected string, got &value.valueUnstructured{{Value:{_go_literal(value)}}}"
    elif wanted == "boolean" and not isinstance(value, bool):
        yield f"{field}: expected boolean, got {_go(value)}"
    elif wanted == "array":
        if not isinstance(value, list):
            yield f"{field}: expected list, got {_go(value)}"
            return
        for place, item in enumerate(value):
            yield from typed_mistakes(schema.get("items") or {}, item, f"{field}[{place}]")
    elif wanted == "object":
        if not isinstance(value, dict):
            yield f"{field}: expected map, got {_go(value)}"
            return
        yield from _typed_fields(schema, value, field)


def _typed_fields(schema, value, field):
    known, rest = schema.get("properties", {}), schema.get("additionalProperties")
    free = schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("x-kubernetes-embedded-resource")
    for key, child in value.items():
        if not field and key in SPECIAL:
            continue
        if key in known or isinstance(rest, dict):
            yield from typed_mistakes(known.get(key, rest), child, f"{field}.{key}")
        elif not free and rest is not True and known:
            yield f"{field}.{key}: field not declared in schema"


def built_in_typed(value, field=""):
    """The same for built-in kinds, by the names of well-known fields."""
    if isinstance(value, list):
        for place, item in enumerate(value):
            named = f'[name={json.dumps(item["name"])}]' if isinstance(item, dict) and "name" in item else f"[{place}]"
            yield from built_in_typed(item, field + named)
        return
    for key, child in value.items() if isinstance(value, dict) else ():
        here = f"{field}.{key}"
        if key == "openAPIV3Schema":
            continue  # speaks of fields, has none itself
        if key in NUMBERS:
            yield from typed_mistakes({"type": "integer"}, child, here)
        elif key in TEXTS or here in (".data", ".binaryData"):
            yield from typed_mistakes({"type": "object", "additionalProperties": {"type": "string"}}, child, here)
        elif key == "env" and isinstance(child, list):
            for item in child:
                if isinstance(item, dict):
                    yield from typed_mistakes({"type": "string"}, item.get("value"),
                                              f"{here}[name={json.dumps(item.get('name'))}].value")
        else:
            yield from built_in_typed(child, here)


def check_typed(kind, config, duplicates):
    """Refuse a configuration that cannot be read as its kind."""
    found = list(typed_mistakes(kind.schema(config["apiVersion"].rpartition("/")[2]), config)) if kind.custom else \
        list(built_in_typed({key: value for key, value in config.items() if key not in SPECIAL[:2]}))
    found += duplicates
    if found:
        group, _, version = config["apiVersion"].rpartition("/")
        meta = config["metadata"]
        text = found[0] if len(found) == 1 else "errors:\n" + "\n".join("  " + one for one in found)
        raise ApiError(500, f'failed to create typed patch object ({meta.get("namespace", "")}/{meta["name"]}; '
                       f'{group}/{version}, Kind={config["kind"]}): {text}', "")


def _go(value):
    """A value as Go prints it inside a pointer."""
    return "&{" + _go_plain(value) + "}"


def _go_plain(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + " ".join(_go_plain(item) for item in value) + "]"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{_go_plain(value[key])}" for key in sorted(value)) + "]"
    return str(value)


def _go_literal(value):
    if isinstance(value, dict):
        return "map[string]interface {}{" + ", ".join(
            f'"{key}":{_go_literal(value[key])}' for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(_go_literal(item) for item in value) + "}"
    return _go_plain(value) if not isinstance(value, str) else json.dumps(value)


def _go_type(value):
    return {bool: "bool", str: "string", list: "[]interface {}", dict: "map[string]interface {}"}[type(value)]
