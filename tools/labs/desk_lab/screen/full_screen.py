"""Shows the desk in a terminal, full screen, until somebody quits; keys, letters and the mouse do what can be done.

Does not draw (`drawing`) and does nothing at the desk itself (`Desk`). A terminal does not tell when a key is let go,
so the keyboard taps keys; a mouse can hold them. Whatever ends it, the terminal is as it was before.
"""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any

from pbx_lab.lab import BEHAVIOURS, ENDPOINTS
from prompt_toolkit.application import Application
from prompt_toolkit.application.current import get_app
from prompt_toolkit.data_structures import Point
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout import Layout, UIContent, UIControl, Window
from prompt_toolkit.mouse_events import MouseButton, MouseEvent, MouseEventType
from prompt_toolkit.output import Output

from desk_lab.call_picture import ON_HOLD
from desk_lab.desk import PROBLEMS, Desk, describe_problem
from desk_lab.installation import CALLER, EXTENSION
from desk_lab.phone_view import LEGENDS
from desk_lab.screen.drawing import draw

_HOLDER = "full screen"
_CLOCK_S = 1.0


class FullScreen(UIControl):
    """The desk on one terminal."""

    def __init__(self, desk: Desk, source: Input | None = None, target: Output | None = None) -> None:
        """source, target: other ends than the terminal's."""
        self._desk = desk
        self._chosen = EXTENSION
        self._said = ""
        self._keys: dict[tuple[int, int], str] = {}
        self._to_type: asyncio.Queue[str] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._app: Application[None] = Application(
            Layout(Window(self, always_hide_cursor=True)), key_bindings=self._bind(), full_screen=True,
            mouse_support=True, input=source, output=target,
        )  # fmt: skip

    async def run(self) -> None:
        """Show it until somebody quits, or the terminal is gone."""
        end = self._desk.listen(lambda _event: self._app.invalidate())
        self._begin(self._type())
        try:
            await self._app.run_async(handle_sigint=False, set_exception_handler=False)
        except EOFError:  # the terminal is gone
            return
        finally:
            end()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._desk.let_go_all(_HOLDER)

    def create_content(self, width: int, height: int | None) -> UIContent:
        """Draw the desk in the terminal's present size."""
        drawing = draw(self._desk, width, height or 1, self._chosen, self._said)
        self._keys = drawing.keys
        lines: list[StyleAndTextTuples] = [[*line] for line in drawing.canvas.lines()]
        return UIContent(lambda number: lines[number], len(lines), Point(0, 0), show_cursor=False)

    def mouse_handler(self, mouse_event: MouseEvent) -> None:
        """Hold the key under the mouse for as long as its button is down."""
        if mouse_event.event_type == MouseEventType.MOUSE_UP:
            self._begin(self._desk.let_go_all(_HOLDER))
        elif mouse_event.event_type == MouseEventType.MOUSE_DOWN and mouse_event.button == MouseButton.LEFT:
            legend = self._keys.get((mouse_event.position.x, mouse_event.position.y))
            if legend is not None:
                self._do(self._desk.press(legend, _HOLDER))

    def is_focusable(self) -> bool:
        """It takes the keyboard."""
        return True

    def _bind(self) -> KeyBindings:
        bindings = KeyBindings()

        def bind(*names: str) -> Any:
            return lambda act: [bindings.add(name)(act) for name in names]

        for legend in LEGENDS:
            bind(*{legend, legend.lower()})(lambda _event, legend=legend: self._to_type.put_nowait(legend))
        bind("tab", "down")(lambda _event: self._choose(1))
        bind("s-tab", "up")(lambda _event: self._choose(-1))
        bind("q", "c-c", "c-d")(lambda _event: get_app().exit())
        bind("c-l")(lambda _event: get_app().renderer.clear())
        bind("r")(lambda _event: self._do(self._desk.call(self._chosen, self._other())))
        bind("p")(lambda _event: self._do(self._desk.answer(self._chosen)))
        bind("h")(lambda _event: self._do(self._desk.hang_up(self._chosen)))
        bind("o")(lambda _event: self._do(self._hold()))
        bind("n")(lambda _event: self._do(self._desk.set_behaviour(self._chosen, self._next_behaviour())))
        bind("t")(lambda _event: self._do(self._desk.set_permission(not self._desk.is_allowed)))
        return bindings

    def _other(self) -> str:
        return CALLER if self._chosen == EXTENSION else EXTENSION

    def _choose(self, step: int) -> None:
        self._chosen = ENDPOINTS[(ENDPOINTS.index(self._chosen) + step) % len(ENDPOINTS)]
        self._said = ""

    def _hold(self) -> Coroutine[Any, Any, None]:
        calls = [call for call, _ in self._desk.picture.of(self._chosen)]
        is_held = any(party.state == ON_HOLD for call in calls for party in call.parties)
        return (self._desk.take_back if is_held else self._desk.hold)(self._chosen)

    def _next_behaviour(self) -> str:
        now = BEHAVIOURS.index(self._desk.behaviours[self._chosen])
        return BEHAVIOURS[(now + 1) % len(BEHAVIOURS)]

    def _do(self, work: Awaitable[None]) -> None:
        """Do something, and say what does not work."""
        self._said = ""
        self._begin(self._try(work))

    async def _try(self, work: Awaitable[None]) -> None:
        try:
            await work
        except PROBLEMS as problem:
            self._said = describe_problem(problem)
            self._app.invalidate()

    async def _type(self) -> None:
        """Tap keys one after the other, as they come."""
        while True:
            await self._try(self._desk.type(await self._to_type.get()))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
