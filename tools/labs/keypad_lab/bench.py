"""Runs our scanner and its peers over the same recordings and prints one table, then the cost of a look at the keypad.

Does not decide what is good enough; the limits are below the table, and decide the exit code of `keys bench`.
Mistakes are per 1000 presses, over all seeds; latency is the mean and the 99th percentile of the worse seed, in ms.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from keypad_lab import look_cost
from keypad_lab.generate import HABITS, Recording, generate
from keypad_lab.peers import PEERS
from keypad_lab.replay import Poller, Replay, TraceMatrix, firmware_scanner
from keypad_lab.score import Score, judge

OURS = "phoneterm (ours)"
SEEDS = (1, 2)
MOST_MEAN_MS = 5
MOST_P99_MS = 10
# One press in five here is one short contact and then nothing for up to 18 ms: no rule that distinguishes a press from
# a spike can report it earlier. These recordings are for counting extra keys.
_NO_LATENCY_LIMIT = "worst-membrane"


class Line(NamedTuple):
    """One algorithm on one kind of recording, over all seeds."""

    algorithm: str
    habit: str
    mean_ms: float
    p99_ms: float
    missed: float
    extra: float
    wrong_order: float


def compare(press_count: int, names: Iterable[str] = HABITS) -> Iterator[Line]:
    """Yield a line for every kind of recording and every algorithm, ours last."""
    for name in names:
        recordings = [generate(HABITS[name], press_count, seed) for seed in SEEDS]
        for algorithm, make in {**PEERS, OURS: firmware_scanner}.items():
            scores = [_score(recording, make) for recording in recordings]
            yield _line(algorithm, name, scores)


def _score(recording: Recording, make: Callable[[TraceMatrix], Poller]) -> Score:
    matrix = TraceMatrix()
    return judge(recording.presses, Replay(recording.rows, matrix, make(matrix)).events())


def _line(algorithm: str, habit: str, scores: list[Score]) -> Line:
    per_thousand = 1000 / sum(score.presses for score in scores)
    return Line(
        algorithm,
        habit,
        max(score.mean_ms for score in scores),
        max(score.p99_ms for score in scores),
        sum(score.missed for score in scores) * per_thousand,
        sum(score.extra for score in scores) * per_thousand,
        sum(score.wrong_order for score in scores) * per_thousand,
    )


def failures(lines: list[Line]) -> list[str]:
    """Return a sentence for every limit that our own scanner misses."""
    sentences = []
    for line in lines:
        if line.algorithm != OURS:
            continue
        is_late = line.mean_ms > MOST_MEAN_MS or line.p99_ms > MOST_P99_MS
        if is_late and line.habit != _NO_LATENCY_LIMIT:
            sentences.append(f"{line.habit}: latency {line.mean_ms:.1f} / {line.p99_ms:.1f} ms is over the limit.")
        if line.extra or line.wrong_order or line.missed > 1:
            sentences.append(
                f"{line.habit}: {line.missed:.1f} missed, {line.extra:.1f} extra and {line.wrong_order:.1f} in the "
                "wrong order per 1000 presses."
            )
    return sentences


def table(lines: list[Line]) -> Iterator[str]:
    """Yield the lines of the table, one block for each kind of recording."""
    habit = None
    for line in lines:
        if line.habit != habit:
            habit = line.habit
            yield ""
            yield f"{habit:30} mean ms   p99 ms   missed/1000   extra/1000   wrong order/1000"
        yield (
            f"  {line.algorithm:28} {line.mean_ms:7.1f} {line.p99_ms:8.1f} {line.missed:13.1f} {line.extra:12.1f} "
            f"{line.wrong_order:18.1f}"
        )


def cost_table() -> Iterator[str]:
    """Yield the lines of the table of costs."""
    yield ""
    yield f"{'one look at an idle keypad':50} us on this VM   machine instructions"
    for cost in look_cost.measure():
        if cost.look_us is None:
            yield f"  {cost.way:48} not measured: pip could not fetch it"
        else:
            count = f"{cost.instructions:,}" if cost.instructions else "needs valgrind"
            yield f"  {cost.way:48} {cost.look_us:13.2f}   {count:>20}"
