"""Asks a running console's HTTP API whatever its OpenAPI document allows and forbids; `test_api` starts this file.

It is a pytest run of its own, because schemathesis takes every worker a second that no other test needs. The address is
in CONSOLE_URL, the token in CONSOLE_TOKEN.
"""

import os

import hypothesis
import schemathesis
from phoneterm_bridge.console.api_document import make_document
from schemathesis import GenerationMode

_CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
_schema = schemathesis.openapi.from_dict(make_document())
_schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])


@_schema.parametrize()
@hypothesis.settings(max_examples=8, deadline=None, derandomize=True)
def test_every_answer_is_as_the_document_says(case):
    headers = {"Authorization": f"Bearer {os.environ['CONSOLE_TOKEN']}"}
    checks = [schemathesis.checks.CHECKS.get_one(name) for name in _CHECKS]
    case.call_and_validate(base_url=os.environ["CONSOLE_URL"], headers=headers, checks=checks)
