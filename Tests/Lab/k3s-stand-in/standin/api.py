"""Kubernetes' REST interface over the object store."""

import base64
import json
import time

from standin import discovery, disruption, kinds, patches, scale, selectors, tables
from standin.apierror import ApiError, no_such_path

WATCH_LONGEST = 300.0


class Target:
    """What a path points at."""

    def __init__(self, kind, version, namespace, name, subresource):
        self.kind, self.version, self.namespace = kind, version, namespace
        self.name, self.subresource = name, subresource


def target(state, path):
    """Read a resource path; a NotFound when no kind answers it."""
    parts = path.strip("/").split("/")
    if parts[:2] == ["api", "v1"]:
        group, version, rest = "", "v1", parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        raise no_such_path()
    namespace = None
    if rest and rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    kind = kinds.find(state, group, rest[0]) if rest else None
    if kind is None or version not in kind.versions or len(rest) > 3:
        raise no_such_path()
    return Target(kind, version, namespace, rest[1] if len(rest) > 1 else None, rest[2] if len(rest) > 2 else "")


class Api:
    """Answers requests under /api and /apis."""

    def __init__(self, objects):
        self.objects = objects
        self.outdated = set()  # what somebody asked for although it is deprecated: (group, version, plural, part)

    def metrics(self):
        """The metrics of the API server that operators look at before an upgrade."""
        name = "apiserver_requested_deprecated_apis"
        lines = [f"# TYPE {name} gauge"]
        for group, version, plural, part in sorted(self.outdated):
            _, removed, _ = kinds.DEPRECATED[group, version]
            lines.append(f'{name}{{group="{group}",removed_release="{removed}",resource="{plural}",'
                         f'subresource="{part}",version="{version}"}} 1')
        return "\n".join(lines) + "\n"

    def _note_outdated(self, request, aim):
        found = kinds.DEPRECATED.get((aim.kind.group, aim.version))
        if found:
            since, removed, newer = found
            self.outdated.add((aim.kind.group, aim.version, aim.kind.plural, aim.subresource))
            group = aim.kind.group
            request.extra["Warning"] = (
                f'299 - "{group}/{aim.version} {aim.kind.name} is deprecated in v{since}+, unavailable in v{removed}+; '
                f'use {group}/{newer} {aim.kind.name}"')

    def serve(self, request):
        """Answer one request; `request` is the HTTP handler with `.route` and `.query` set."""
        state = self.objects.state()
        found = discovery.answer(state, request.route, request.headers.get("Accept", ""))
        if found:
            request.answer(200, found[1], found[0])
            return
        aim = target(state, request.route)
        if aim.subresource not in ("", "status", "eviction", "scale", "finalize"):
            raise no_such_path()
        self._note_outdated(request, aim)
        if aim.subresource == "scale":
            body = self._object(request) if request.content else None
            request.answer(200, scale.serve(self.objects, aim, request.command, body, self._manager(request),
                                            self._dry(request)))
        elif request.command in ("GET", "HEAD"):
            self._read(request, aim, state)
        elif request.command == "POST":
            self._post(request, aim)
        elif request.command == "PUT":
            self._put(request, aim)
        elif request.command == "PATCH":
            self._patch(request, aim)
        elif request.command == "DELETE":
            self._delete(request, aim)

    # --- reading ------------------------------------------------------------------------------

    def _read(self, request, aim, state):
        if aim.name is not None:
            item = self.objects.get(aim.kind, aim.namespace, aim.name, state)
            self._show(request, aim, 200, item)
            return
        if request.query.get("watch") in ("true", "1"):
            self._watch(request, aim)
            return
        revision, items = self.objects.list(aim.kind, aim.namespace, state)
        chosen = [item for item in items if self._chosen(request, item)]
        chosen, meta = self._page(request, chosen, {"resourceVersion": str(revision)})
        shape = self._table_shape(request)
        if shape:
            table = tables.table(aim.kind, chosen, revision, shape)
            request.answer(200, {**table, "metadata": meta})
            return
        request.answer(200, {
            "kind": aim.kind.name + "List", "apiVersion": aim.kind.api_version(aim.version),
            "metadata": meta, "items": chosen})

    def _page(self, request, items, meta):
        """Cut a list as `limit` and `continue` say."""
        def place(item):
            return [item["metadata"].get("namespace", ""), item["metadata"]["name"]]
        token, limit = request.query.get("continue"), int(request.query.get("limit") or 0)
        if token:
            try:
                after = json.loads(base64.urlsafe_b64decode(token))
            except ValueError:
                raise ApiError(400, "continue key is not valid") from None
            items = [item for item in items if place(item) > after]
        if limit and len(items) > limit:
            meta = {**meta, "remainingItemCount": len(items) - limit, "continue": base64.urlsafe_b64encode(
                json.dumps(place(items[limit - 1])).encode()).decode()}
            items = items[:limit]
        return items, meta

    def _chosen(self, request, item):
        return selectors.labels(request.query.get("labelSelector"))(item) and \
            selectors.fields(request.query.get("fieldSelector"))(item)

    def _table_shape(self, request):
        accept = request.headers.get("Accept", "").split(",")[0]
        return request.query.get("includeObject", "Metadata") if "as=Table" in accept else None

    def _show(self, request, aim, status, item):
        shape = self._table_shape(request)
        request.answer(status, tables.table(aim.kind, [item], include=shape) if shape else item)

    def _watch(self, request, aim):
        """Stream changes until the client, its timeout or our own bound ends it."""
        end = time.monotonic() + min(float(request.query.get("timeoutSeconds") or WATCH_LONGEST), WATCH_LONGEST)
        after = request.query.get("resourceVersion") or "0"
        prefix = aim.kind.prefix(aim.namespace)
        request.begin_stream()
        if after == "0":
            revision, items = self.objects.list(aim.kind, aim.namespace)
            for item in items:
                self._emit(request, aim, "ADDED", item)
            after = revision
        after = int(after)
        while time.monotonic() < end:
            changes = self.objects.datastore.state.changes(prefix, after, 1.0)
            if changes is None:
                request.stream({"type": "ERROR", "object": ApiError(410, "too old resource version").status()})
                break
            for revision, event, _, entry in changes:
                after = revision
                item = {**entry["value"], "metadata": {**entry["value"]["metadata"],
                                                       "resourceVersion": str(entry["mod"])}}
                self._emit(request, aim, event, item)
            if not request.still_there():
                return
        request.end_stream()

    def _emit(self, request, aim, event, item):
        if not self._chosen(request, item):
            return
        shape = self._table_shape(request)
        request.stream({"type": event, "object": tables.table(aim.kind, [item], include=shape) if shape else item})

    # --- writing ------------------------------------------------------------------------------

    def _object(self, request):
        kind = request.headers.get("Content-Type", "application/json")
        if "protobuf" in kind or "cbor" in kind:
            raise ApiError(415, f"the stand-in reads JSON and YAML only, not {kind}")
        try:
            if "yaml" in kind:
                import yaml
                value = yaml.load(request.content, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
            else:
                value = json.loads(request.content)
        except ValueError as problem:
            raise ApiError(400, f"the object provided is unrecognized (must be of type JSON or YAML): {problem}") \
                from None
        if not isinstance(value, (dict, list)):
            raise ApiError(400, "the request body is not an object")
        return value

    def _manager(self, request):
        agent = request.headers.get("User-Agent", "unknown").split("/")[0]
        return request.query.get("fieldManager") or agent

    def _dry(self, request):
        return bool(request.query.get("dryRun"))

    def _post(self, request, aim):
        item = self._object(request)
        if aim.subresource == "eviction":
            options = item.get("deleteOptions") or {}
            disruption.evict(self.objects, aim.namespace, aim.name, self._dry(request) or bool(options.get("dryRun")),
                             options)
            request.answer(201, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"})
            return
        if aim.name is not None:
            raise ApiError(405, "the server does not allow this method on the requested resource")
        if item.get("kind") not in (None, aim.kind.name):
            raise ApiError(400, f'{item.get("kind")} in version "{item.get("apiVersion")}" cannot be handled '
                           f"as a {aim.kind.name}")
        if aim.kind.status and aim.kind is not kinds.NODES:
            item.pop("status", None)  # has a place of its own
        item["apiVersion"] = aim.kind.api_version(aim.version)
        made = self.objects.create(aim.kind, aim.namespace, item, self._manager(request), self._dry(request))
        self._show(request, aim, 201, made)

    def _put(self, request, aim):
        item = self._object(request)
        self._show(request, aim, 200, self.objects.update(
            aim.kind, aim.namespace, aim.name, lambda _: item, aim.subresource,
            self._manager(request), self._dry(request)))

    def _patch(self, request, aim):
        kind = request.headers.get("Content-Type", "").split(";")[0]
        if kind == "application/apply-patch+yaml":
            self._apply(request, aim)
            return
        patch = self._object(request)
        ways = {"application/merge-patch+json": patches.merge, "application/json-patch+json": patches.json_patch,
                "application/strategic-merge-patch+json": patches.strategic}
        if kind not in ways or (aim.kind.custom and "strategic" in kind):
            raise ApiError(415, f"the body of the request was in an unknown format: {kind}")
        self._show(request, aim, 200, self.objects.update(
            aim.kind, aim.namespace, aim.name, lambda old: ways[kind](old, patch), aim.subresource,
            self._manager(request), self._dry(request)))

    def _apply(self, request, aim):
        config = self._object(request)
        manager = request.query.get("fieldManager")
        if not manager:
            raise ApiError(422, "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: "
                           "is required for apply patch")
        force = request.query.get("force") in ("true", "1")
        item, new = self.objects.apply(
            aim.kind, aim.namespace, aim.name, config, manager, force, self._dry(request))
        self._show(request, aim, 201 if new else 200, item)

    def _delete(self, request, aim):
        options = json.loads(request.content) if request.content else {}
        dry = self._dry(request) or bool(options.get("dryRun"))
        if aim.name is None:
            self._delete_all(request, aim, dry)
            return
        grace = request.query.get("gracePeriodSeconds", options.get("gracePeriodSeconds"))
        if (request.query.get("propagationPolicy") or options.get("propagationPolicy")) == "Orphan" and not dry:
            self.objects.orphan(aim.kind, self.objects.get(aim.kind, aim.namespace, aim.name))
        item = self.objects.delete(aim.kind, aim.namespace, aim.name, dry, options.get("preconditions"),
                                   str(grace) == "0")
        left = self.objects.find(aim.kind, aim.namespace, aim.name)
        if left and left["metadata"].get("deletionTimestamp"):
            request.answer(200, left)
            return
        request.answer(200, {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
            "details": {"name": aim.name, "group": aim.kind.group, "kind": aim.kind.plural,
                        "uid": item["metadata"]["uid"]}})

    def _delete_all(self, request, aim, dry):
        _, items = self.objects.list(aim.kind, aim.namespace)
        for item in items:
            if self._chosen(request, item):
                meta = item["metadata"]
                self.objects.delete(aim.kind, meta.get("namespace"), meta["name"], dry)
        request.answer(200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"})
