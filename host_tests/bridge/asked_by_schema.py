"""Asks a running bridge's pages whatever its OpenAPI document allows and forbids; `test_pages_schema` starts this file.

It is a pytest run of its own, because schemathesis takes every worker a second that no other test needs. The address of
the pages is in PAGES_URL.
"""

import os

import hypothesis
import schemathesis
from phoneterm_bridge.web.document import make_document
from schemathesis import GenerationMode

# The document is the same for every bridge; the requests go to the running one.
_schema = schemathesis.openapi.from_dict(make_document())
_schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])


@_schema.parametrize()
@hypothesis.settings(max_examples=40, deadline=None, derandomize=True)
def test_every_answer_is_as_the_document_says(case):
    case.call_and_validate(base_url=os.environ["PAGES_URL"])
