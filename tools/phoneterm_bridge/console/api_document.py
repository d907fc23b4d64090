"""The OpenAPI document of the console's HTTP API, served as /api/openapi.json. Makes no API."""

from importlib.metadata import version
from typing import Any

_TEXT = {"type": "string"}
_NAMED = {"type": "string", "minLength": 1, "maxLength": 200}
_TIME = {"type": ["integer", "null"], "description": "Milliseconds since 1970, UTC."}
_TERMINAL = {
    "type": "object",
    "description": "What a terminal is, may do and was last seen doing.",
    "properties": {
        "terminal": _TEXT,
        "extension": _TEXT,
        "extension_type": _TEXT,
        "user": _TEXT,
        "state": {"type": "string", "enum": ["online", "offline", "never seen", "safe mode", "revoked"]},
        "seen_ms": _TIME,
        "call": {"type": "string", "description": "The state of its call; empty while it is away."},
        "standing": {
            "type": "string",
            "enum": ["in force", "pending", "at next start", ""],
            "description": "Whether its permissions are in force at the terminal; empty for a revoked one.",
        },
        "since_ms": _TIME,
        "rights": _TEXT,
        "firmware": _TEXT,
        "board": _TEXT,
        "address": _TEXT,
        "signal": _TEXT,
        "scan": _TEXT,
        "troubles": {"type": "array", "items": _TEXT},
    },
    "additionalProperties": False,
}
_TERMINAL["required"] = list(_TERMINAL["properties"])  # type: ignore[call-overload]
_SAID = {"type": "object", "properties": {"said": _TEXT}, "required": ["said"], "additionalProperties": False}
_HANDED_OUT = {
    "type": "object",
    "description": "A terminal's settings, with its secrets: the file for `phoneterm device provision`, only once.",
    "properties": {"terminal": _TEXT, "settings": {"type": "object"}},
    "required": ["terminal", "settings"],
    "additionalProperties": False,
}
_USER = {
    "type": "object",
    "properties": {"user": _TEXT, "is_multi_user_aware": {"type": "boolean"}, "extensions": {"type": "array"}},
    "required": ["user", "is_multi_user_aware", "extensions"],
    "additionalProperties": False,
}
_CHANGE = {
    "type": "object",
    "properties": {"at_ms": _TIME, "who": _TEXT, "where": _TEXT, "subject": _TEXT, "what": _TEXT},
    "required": ["at_ms", "who", "where", "subject", "what"],
    "additionalProperties": False,
}
_HEALTH = {
    "type": "object",
    "properties": {
        "status": {"type": "string", "enum": ["ready", "not ready"]},
        "missing": {"type": "object", "additionalProperties": _TEXT},
        "troubled": {"type": "object", "additionalProperties": _TEXT},
    },
    "required": ["status", "missing", "troubled"],
    "additionalProperties": False,
}
_WHY = {
    "type": "object",
    "description": "The sentence of `phoneterm why`, and the timeline that it follows from.",
    "properties": {"sentence": _TEXT},
    "required": ["sentence"],
}
_DETAIL = {"type": "object", "properties": {"detail": _TEXT}, "required": ["detail"], "additionalProperties": False}
_SCHEMAS = {
    "Terminal": _TERMINAL, "Said": _SAID, "HandedOut": _HANDED_OUT, "User": _USER, "Change": _CHANGE, "Health": _HEALTH,
    "Why": _WHY, "Detail": _DETAIL,
}  # fmt: skip
_REFUSALS = {
    "400": "The request cannot be read.",
    "401": "There is no token, or a worthless one.",
    "403": "The token's role is not enough.",
    "404": "There is no such terminal, user or extension.",
    "409": "It cannot be done; the sentence says why.",
    "413": "The body is too large.",
}
_TID = {"name": "tid", "in": "path", "required": True, "schema": {**_TEXT, "pattern": "^[a-z0-9-]{1,32}$"}}
_NAME = {"name": "name", "in": "path", "required": True, "schema": {**_TEXT, "pattern": "^[A-Za-z0-9._@-]{1,64}$"}}
_EXTENSION = {"name": "extension", "in": "path", "required": True, "schema": {**_TEXT, "pattern": "^[0-9]{1,32}$"}}
_OF = {"name": "of", "in": "query", "schema": _TEXT, "description": "Only of this user, extension or terminal."}


def make_document() -> dict[str, Any]:
    """Return the document as JSON-compatible values."""
    rights = _body({"blind": {"type": "boolean"}, "attended": {"type": "boolean"}, "classes": _CLASSES})
    enrol = _body({"extension": _NAMED, "tid": _NAMED, "mqtt_host": _NAMED}, ["extension"])
    aware = _body({"is_multi_user_aware": {"type": "boolean"}}, ["is_multi_user_aware"])
    paths = {
        "/api/terminals": {
            "get": _operation("listTerminals", "viewer", "List all terminals.", _many("Terminal")),
            "post": _operation("enrol", "admin", "Enrol a terminal.", _one("HandedOut"), body=enrol),
        },
        "/api/terminals/{tid}": {
            "get": _operation("showTerminal", "viewer", "Show one terminal.", _one("Terminal"), _TID),
        },
        "/api/terminals/{tid}/rights": {
            "put": _operation("setRights", "operator", "Set what it may do.", _one("Terminal"), _TID, body=rights),
        },
        "/api/terminals/{tid}/identify": {
            "post": _operation("identify", "operator", "Have it show itself.", _one("Said"), _TID),
        },
        "/api/terminals/{tid}/reboot": {
            "post": _operation("reboot", "operator", "Have it reboot.", _one("Said"), _TID),
        },
        "/api/terminals/{tid}/rotate": {
            "post": _operation(
                "rotate", "admin", "Give it new secrets.", _one("HandedOut"), _TID, body=_body({"mqtt_host": _NAMED})
            ),
        },
        "/api/terminals/{tid}/revoke": {
            "post": _operation("revoke", "admin", "Revoke it for good.", _one("Said"), _TID),
        },
        "/api/users": {"get": _operation("listUsers", "viewer", "List all users.", _many("User"))},
        "/api/users/{name}/multi-user-aware": {
            "put": _operation("setAware", "operator", "Set User is multi user aware.", _one("Said"), _NAME, body=aware),
        },
        "/api/why/{extension}": {
            "get": _operation("why", "viewer", "Say what became of the last transfer.", _one("Why"), _EXTENSION),
        },
        "/api/changes": {"get": _operation("listChanges", "viewer", "List the last changes.", _many("Change"), _OF)},
        "/api/health": {"get": _operation("health", "viewer", "Say whether the bridge is ready.", _one("Health"))},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Phone terminals: operator's console",
            "description": "The console's operations for programs.",
            "version": version("phoneterm"),
        },
        "paths": paths,
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


_CLASSES = {"type": "array", "items": {"type": "string", "pattern": "^[a-z0-9-]{1,16}$"}, "maxItems": 16}


def _operation(
    name: str, role: str, description: str, answer: dict, *parameters: dict, body: dict | None = None
) -> dict[str, Any]:
    refusals = {status: _answer(said, _one("Detail")) for status, said in _REFUSALS.items()}
    operation: dict[str, Any] = {
        "operationId": name,
        "description": f"{description} Needs a token of the role {role} or a higher one.",
        "responses": {"200": _answer("It is done.", answer)} | refusals,
    }
    if parameters:
        operation["parameters"] = list(parameters)
    if body is not None:
        operation["requestBody"] = body
    return operation


def _answer(description: str, schema: dict) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _body(properties: dict, required: list[str] | None = None) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = required
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _one(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _many(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _one(name)}
