"""Asks the PBX one thing, with a deadline, and turns whatever happens into a value. Does not decide what to ask.

A question that fails is "not known"; an operation that fails without an answer is "unknown", because it may have
been carried out: it is never asked a second time.
"""

import asyncio

import structlog

from phoneterm_bridge.pbx_port import Call, Outcome, Pbx

_QUESTION_TIMEOUT_S = 2
_OPERATION_TIMEOUT_S = 10


async def ask_for_number(pbx: Pbx, context: str, number: str) -> str | None:
    """Return why a number cannot be a target (unknown-number, pbx-unreachable), or None when it can."""
    try:
        async with asyncio.timeout(_QUESTION_TIMEOUT_S):
            is_known = await pbx.is_known_number(context, number)
    except Exception as error:
        structlog.get_logger().error("pbx-did-not-answer", error=type(error).__name__)
        is_known = None
    if is_known is None:
        return "pbx-unreachable"
    return None if is_known else "unknown-number"


async def ask_for_operation(pbx: Pbx, op: str, call: Call, context: str, number: str | None) -> Outcome:
    """Have the PBX carry out one wire operation on a call, and return what is known of the outcome."""
    try:
        async with asyncio.timeout(_OPERATION_TIMEOUT_S):
            if op == "blind":
                return await pbx.blind(call, context, number or "")
            if op == "attended":
                return await pbx.attended(call, context, number or "")
            operations = {"complete": pbx.complete, "cancel": pbx.cancel, "swap": pbx.swap}
            return await operations[op](call)
    except Exception as error:
        structlog.get_logger().error("pbx-operation-failed", op=op, error=type(error).__name__)
        return Outcome("unknown")
