"""The OpenAPI document of the console's HTTP API, served as /api/openapi.json. Makes no API."""

from importlib.metadata import version
from typing import Any

from phoneterm_bridge.administration.bulk_change import KINDS, MOST_AT_ONCE

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
        "group": {"type": "string", "description": "Its site group; empty for none."},
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
_GROUP = {
    "type": "object",
    "properties": {"group": _TEXT, "terminals": {"type": "integer", "minimum": 1}},
    "required": ["group", "terminals"],
    "additionalProperties": False,
}
_REASONS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"terminal": _TEXT, "why": _TEXT},
        "required": ["terminal", "why"],
        "additionalProperties": False,
    },
}
_AFFECTED = {
    "type": "object",
    "description": "What it has now, and then; both empty where there is nothing to compare.",
    "properties": dict.fromkeys(("terminal", "extension", "user", "now", "then"), _TEXT),
    "required": ["terminal", "extension", "user", "now", "then"],
    "additionalProperties": False,
}
_PREVIEW = {
    "type": "object",
    "description": "Who would be affected, and who not and why; notes say what it means beyond them.",
    "properties": {
        "said": _TEXT,
        "affected": {"type": "array", "items": _AFFECTED},
        "not_affected": _REASONS,
        "notes": {"type": "array", "items": _TEXT},
        "mark": {"type": "string", "description": "Given with the change, lets only this be done and nothing else."},
    },
    "required": ["said", "affected", "not_affected", "notes", "mark"],
    "additionalProperties": False,
}
_BULK_DONE = {
    "type": "object",
    "description": "What was done, what was not possible and why, and new settings with their secrets, only once.",
    "properties": {"said": _TEXT, "not_done": _REASONS, "settings": {"type": "array", "items": _HANDED_OUT}},
    "required": ["said", "not_done", "settings"],
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
    "Why": _WHY, "Detail": _DETAIL, "Group": _GROUP, "Preview": _PREVIEW, "BulkDone": _BULK_DONE,
}  # fmt: skip
_REFUSALS = {
    "400": "The request cannot be read.",
    "401": "There is no token, or a worthless one.",
    "403": "The token's role is not enough.",
    "404": "There is no such terminal, user or extension.",
    "409": "It cannot be done; the sentence says why.",
    "413": "The body is too large.",
    "503": "The store is locked, or cannot be written; the sentence says more.",
}
_TOO_MANY = {"429": "Too many wrong passwords: wait as long as Retry-After says."}
_TID = {"name": "tid", "in": "path", "required": True, "schema": {**_TEXT, "pattern": "^[a-z0-9-]{1,32}$"}}
_NAME = {"name": "name", "in": "path", "required": True, "schema": {**_TEXT, "pattern": "^[A-Za-z0-9._@-]{1,64}$"}}
_EXTENSION = {"name": "extension", "in": "path", "required": True, "schema": {**_TEXT, "pattern": "^[0-9]{1,32}$"}}
_ONLY_GROUP = {
    "name": "group",
    "in": "query",
    "schema": _TEXT,
    "description": "Only of this site group; empty: of none.",
}
_ONLY_OUTDATED = {
    "name": "outdated",
    "in": "query",
    "schema": {"type": "string", "enum": ["yes"]},
    "description": "Only with another firmware than the newest in use.",
}
_OF = {"name": "of", "in": "query", "schema": _TEXT, "description": "Only of this user, extension or terminal."}


def make_document() -> dict[str, Any]:
    """Return the document as JSON-compatible values."""
    rights = _body({"blind": {"type": "boolean"}, "attended": {"type": "boolean"}, "classes": _CLASSES})
    enrol = _body({"extension": _NAMED, "tid": _NAMED, "mqtt_host": _NAMED, "group": _NAMED}, ["extension"])
    group = _body({"group": _NAMED})
    what = {"type": "string", "enum": list(KINDS)}
    bulk = {"what": what, "value": _NAMED, "terminals": _TIDS, "mqtt_host": _NAMED}
    required = ["what", "terminals"]
    password = _body({"old": _NAMED, "password": _NAMED}, ["old", "password"])
    aware = _body({"is_multi_user_aware": {"type": "boolean"}}, ["is_multi_user_aware"])
    paths = {
        "/api/terminals": {
            "get": _operation(
                "listTerminals", "viewer", "List terminals.", _many("Terminal"), _ONLY_GROUP, _ONLY_OUTDATED
            ),
            "post": _operation("enrol", "admin", "Enrol a terminal.", _one("HandedOut"), body=enrol),
        },
        "/api/terminals/{tid}": {
            "get": _operation("showTerminal", "viewer", "Show one terminal.", _one("Terminal"), _TID),
        },
        "/api/terminals/{tid}/rights": {
            "put": _operation("setRights", "operator", "Set what it may do.", _one("Terminal"), _TID, body=rights),
        },
        "/api/terminals/{tid}/group": {
            "put": _operation(
                "setGroup", "operator", "Set its site group; without one it is in none.", _one("Said"), _TID, body=group
            ),
        },
        "/api/groups": {"get": _operation("listGroups", "viewer", "List the site groups.", _many("Group"))},
        "/api/bulk/preview": {
            "post": _operation(
                "previewBulk",
                "operator",
                "Say whom a change of many terminals affects; nothing is changed.",
                _one("Preview"),
                body=_body(bulk, required),
            ),
        },
        "/api/bulk": {
            "post": _operation(
                "bulk",
                "operator",
                f"Change many terminals, all or none. {_BULK_ROLES}",
                _one("BulkDone"),
                body=_body(bulk | {"mark": _NAMED}, required),
            ),
        },
        "/api/accounts/{name}/password": {
            "put": _operation(
                "setPassword",
                "viewer",
                "Give an account another password, for whoever knows the old one.",
                _one("Said"),
                _NAME,
                body=password,
                more=_TOO_MANY,
            ),
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


_BULK_ROLES = "Rotate and revoke need the role admin; `value` is a class of numbers, or a site group."
_TIDS = {
    "type": "array",
    "items": {"type": "string", "pattern": "^[a-z0-9-]{1,32}$"},
    "minItems": 1,
    "maxItems": MOST_AT_ONCE,
}
_CLASSES = {"type": "array", "items": {"type": "string", "pattern": "^[a-z0-9-]{1,16}$"}, "maxItems": 16}


def _operation(
    name: str,
    role: str,
    description: str,
    answer: dict,
    *parameters: dict,
    body: dict | None = None,
    more: dict[str, str] | None = None,
) -> dict[str, Any]:
    refusals = {status: _answer(said, _one("Detail")) for status, said in (_REFUSALS | (more or {})).items()}
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
