"""The OpenAPI document of the bridge's pages, served as /openapi.json. Does not make the pages; tests compare them."""

from importlib.metadata import version
from typing import Any

_ALIVE = {
    "type": "object",
    "description": "The bridge answers, so its process is there and its event loop turns.",
    "properties": {"status": {"type": "string", "enum": ["alive"]}},
    "required": ["status"],
    "additionalProperties": False,
}
_READINESS = {
    "type": "object",
    "description": "Whether a command that is keyed now would reach the PBX.",
    "properties": {
        "status": {"type": "string", "enum": ["ready", "not ready"]},
        "missing": {
            "type": "object",
            "description": "What is missing (bridge, broker, certificate, pbx or store), and how.",
            "additionalProperties": {"type": "string"},
        },
        "troubled": {
            "type": "object",
            "description": "What is wrong with which terminals (permissions, config, memory), or will be soon "
            "(certificate). It is ready all the same.",
            "additionalProperties": {"type": "string"},
        },
    },
    "required": ["status", "missing", "troubled"],
    "additionalProperties": False,
}


def make_document() -> dict[str, Any]:
    """Return the document as JSON-compatible values."""
    readiness = {"$ref": "#/components/schemas/Readiness"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Phone terminal bridge",
            "description": "Health and metrics of one bridge.",
            "version": version("phoneterm"),
        },
        "paths": {
            "/healthz": _page(
                "healthz",
                "Say that the bridge is alive.",
                {"200": _answer("It is alive.", "application/json", {"$ref": "#/components/schemas/Alive"})},
            ),
            "/readyz": _page(
                "readyz",
                "Say whether the bridge is ready, and what is missing if not.",
                {
                    "200": _answer("It is ready.", "application/json", readiness),
                    "503": _answer("Something is missing.", "application/json", readiness),
                },
            ),
            "/metrics": _page(
                "metrics",
                "Give all figures as Prometheus reads them.",
                {"200": _answer("The metrics.", "text/plain", {"type": "string"})},
            ),
        },
        "components": {"schemas": {"Alive": _ALIVE, "Readiness": _READINESS}},
    }


def _page(name: str, description: str, responses: dict[str, Any]) -> dict[str, Any]:
    return {"get": {"operationId": name, "description": description, "responses": responses}}


def _answer(description: str, media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": schema}}}
