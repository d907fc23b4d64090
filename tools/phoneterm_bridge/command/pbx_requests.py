"""Sends the PBX one request, with a deadline, and turns any result into a value. Does not decide what to ask.

A question that fails is "not known". An operation that gets no answer is "unknown", because it may have been carried
out; it is never sent again. An operation that is not in the table of operations is not sent at all.
"""

import structlog

from phoneterm_bridge.command.shared_deadline import SharedDeadline
from phoneterm_bridge.pbx.operations import find_operation
from phoneterm_bridge.pbx.port import Call, Destination, Outcome, Pbx, PbxMisconfigured, Target

_QUESTION_TIMEOUT_S = 2
_OPERATION_TIMEOUT_S = 10


class PbxRequests:
    """All requests to one PBX on behalf of commands."""

    def __init__(self, pbx: Pbx) -> None:
        self._pbx = pbx
        self._deadline = SharedDeadline(_QUESTION_TIMEOUT_S)
        self._long_deadline = SharedDeadline(_OPERATION_TIMEOUT_S)

    async def ask_for_number(self, context: str, number: str) -> str | None:
        """Return why a number cannot be a target (a wire reason), or None when it can."""
        try:
            is_known = await self._deadline.wait(self._pbx.is_known_number(context, number))
        except PbxMisconfigured as error:
            structlog.get_logger().error("pbx-misconfigured", why=str(error))
            return "pbx-misconfigured"
        except Exception as error:
            structlog.get_logger().error("pbx-did-not-answer", error=type(error).__name__)
            is_known = None
        if is_known is None:
            return "pbx-unreachable"
        return None if is_known else "unknown-number"

    async def ask_for_destination(self, context: str, number: str) -> Destination | None:
        """Return what the PBX's dialplan says of a number; None when it does not say."""
        try:
            return await self._deadline.wait(self._pbx.destination_of(context, number))
        except Exception as error:
            structlog.get_logger().error("pbx-did-not-answer", error=type(error).__name__)
            return None

    async def ask_for_operation(self, op: str, call: Call, context: str, number: str | None) -> Outcome:
        """Have the PBX carry out one wire operation on a call, and return the outcome as far as it is known."""
        operation = find_operation(op)
        if operation is None or op not in self._pbx.operations:
            return Outcome("failed", "unsupported")
        target = Target(context, number or "") if operation.takes_number else None
        try:
            return await self._long_deadline.wait(self._pbx.carry_out(op, call, target))
        except Exception as error:
            structlog.get_logger().error("pbx-operation-failed", op=op, error=type(error).__name__)
            return Outcome("unknown")
