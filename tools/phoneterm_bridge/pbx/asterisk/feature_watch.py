"""What an Asterisk can do, kept up to date: asked at each login, after each reload, and while PlayDTMF is missing.

Does not act on calls. Logs what follows from it when it has changed.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from phoneterm_bridge.pbx.ami.client import AmiClient
from phoneterm_bridge.pbx.ami.connection import NotConnected, OutcomeUnknown
from phoneterm_bridge.pbx.ami.refused import AmiRefused
from phoneterm_bridge.pbx.asterisk.features import Features, ask_can_play
from phoneterm_bridge.pbx.asterisk.speed import speed_of

FindFeatures = Callable[[AmiClient], Awaitable[Features]]

_LOOK_FIRST_S = 1.0
_LOOK_MOST_S = 60.0


class FeatureWatch:
    """The features of one Asterisk, as `features`. find: asks for all of them. username: of the login."""

    def __init__(self, client: AmiClient, find: FindFeatures, username: str) -> None:
        """Nothing is known yet."""
        self.features = Features()
        self._client = client
        self._find = find
        self._username = username

    async def find(self) -> Features:
        """Ask for all features, without taking them over; raises as `find_features` does."""
        return await self._find(self._client)

    def take_over(self, features: Features) -> None:
        """Have these count from now on, and log what that means if something has changed."""
        before, self.features = self.features, features
        if before != features:
            speed = speed_of(features)
            words = {"way": speed.way, "faster_with": [str(line) for line in speed.faster_with]}
            structlog.get_logger().info("attended-transfers-start-by", **words)
        if features.lacks and features.lacks != before.lacks:
            structlog.get_logger().error("pbx-login-lacks-rights", why=self.describe_missing_rights())

    async def look_again(self) -> None:
        """Asterisk has started, or its configuration was reloaded."""
        with contextlib.suppress(NotConnected, OutcomeUnknown, AmiRefused):
            self.take_over(await self.find())

    async def look_for_playing(self) -> None:
        """Asterisk may have loaded PlayDTMF since it was asked last, which was perhaps while it started."""
        if not self.features.can_play:
            with contextlib.suppress(NotConnected, OutcomeUnknown):
                self.take_over(replace(self.features, can_play=await ask_can_play(self._client)))

    async def keep_looking_for_playing(self) -> None:
        """While there is no PlayDTMF, perhaps because Asterisk is still starting, look again now and then."""
        pause_s = _LOOK_FIRST_S
        while not self.features.can_play:
            await asyncio.sleep(pause_s)
            await self.look_again()
            pause_s = min(pause_s * 2, _LOOK_MOST_S)

    def describe_missing_rights(self) -> str | None:
        """Return in one sentence what the login may not do, with the remedy; None when it has all rights."""
        if not self.features.lacks:
            return None
        return (
            f"The PBX's login {self._username} may not use {', '.join(self.features.lacks)}: manager.conf must have "
            f"write = call,reporting in section [{self._username}], and `manager reload`; the bridge logs in anew once "
            "a minute."
        )
