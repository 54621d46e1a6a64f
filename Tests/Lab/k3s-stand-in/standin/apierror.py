"""Failures of the API as Kubernetes' Status objects."""

REASONS = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed",
    409: "Conflict", 410: "Expired", 415: "UnsupportedMediaType", 422: "Invalid",
    429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable",
}


class ApiError(Exception):
    """One refusal; `status()` is what goes over the wire."""

    def __init__(self, code, message, reason=None, details=None):
        super().__init__(message)
        self.code, self.message = code, message
        self.reason = REASONS.get(code, "Unknown") if reason is None else reason
        self.details = details or {}

    def status(self):
        """The Status object."""
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": self.message, "reason": self.reason, "details": self.details, "code": self.code}


def _details(kind, name):
    return {"name": name, "group": kind.group, "kind": kind.plural}


def not_found(kind, name):
    """An object that is not there."""
    return ApiError(404, f'{kind.qualified} "{name}" not found', details=_details(kind, name))


def no_such_path():
    """A path that no resource answers."""
    return ApiError(404, "the server could not find the requested resource")


def already_exists(kind, name):
    """A name that is taken."""
    return ApiError(409, f'{kind.qualified} "{name}" already exists', "AlreadyExists", _details(kind, name))


def conflict(kind, name):
    """An update based on an older version."""
    return ApiError(409, f'Operation cannot be fulfilled on {kind.qualified} "{name}": the object has been '
                    "modified; please apply your changes to the latest version and try again",
                    details=_details(kind, name))


def invalid(kind, name, message, causes=None):
    """An object that breaks a rule; kubectl shows the causes."""
    if causes is None:
        field, _, text = message.partition(": ")
        causes = [{"reason": "FieldValueInvalid", "message": text, "field": field}]
    return ApiError(422, f'{kind.name}{"." + kind.group if kind.group else ""} "{name}" is invalid: {message}',
                    details={"name": name, "group": kind.group, "kind": kind.name, "causes": causes})


def unavailable(message):
    """The datastore has no majority."""
    return ApiError(500, message, "InternalError")
