"""Measures the bridge as a service: delay and rate of commands, a storm of hellos, memory. Does not print.

A delay ends when the PBX reads the action. It begins when the broker hands out the command (`median_ms`, `p99_ms`: the
bridge's own delay), or when the terminal writes it (`whole_median_ms`: including the broker and the other work on its
core). Every command that was sent must have reached the PBX exactly once, with its number, and must have ended:
anything else is in `problems`.
"""

from dataclasses import dataclass, field
from statistics import median, quantiles

from bridge_lab import crowd, worker
from bridge_lab.scene import Scene

_HELLO_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Flow:
    """A number of commands in flight at once. Times in ms; cpu_us is the processor time of one command."""

    commands: int
    in_flight: int
    per_second: float
    median_ms: float
    p99_ms: float
    whole_median_ms: float
    cpu_us: float
    results: dict[str, int]
    problems: list[str] = field(default_factory=list)
    whole_p99_ms: float = float("inf")


async def measure_flow(
    scene: Scene, in_flight: int, seconds: float, per_second: float = 0.0, calls_within_s: float = crowd.PATIENCE_S
) -> Flow:
    """Keep commands in flight (or send evenly at a rate) and take the times; all terminals have said hello before.

    `calls_within_s`: how long the bridge may take until it has told each terminal of its call.
    """
    await scene.pbx.ask(do="forget")
    cpu_before_s = worker.cpu_s(scene.subject.pid)
    tally = await scene.crowd.ask(
        seconds + 60, do="send", in_flight=in_flight, seconds=seconds, per_second=per_second,
        calls_within_s=calls_within_s,
    )  # fmt: skip
    cpu_s = worker.cpu_s(scene.subject.pid) - cpu_before_s
    if "failed" in tally:
        raise worker.WorkerFailed(f"The crowd could not send: {tally['failed']}.")
    report = await scene.pbx.ask(do="report")
    done = {f"load-{name}": times for name, times in report["asked"].items()}
    delays_ms, problems = match(tally["sent"], done)
    own_ms, own_problems = match(report["heard"], done) if report["heard"] else ([], [])
    problems += own_problems
    problems += tally["wrong"] + [
        f"{n} commands ended as {what}" for what, n in tally["results"].items() if what != "done"
    ]
    count = sum(len(sent) for sent in tally["sent"].values())
    return Flow(
        commands=count,
        in_flight=in_flight,
        per_second=tally["in_time"] / tally["seconds"],
        median_ms=median(own_ms) if own_ms else float("inf"),
        p99_ms=_p99(own_ms),
        whole_median_ms=median(delays_ms) if delays_ms else float("inf"),
        cpu_us=cpu_s / count * 1e6 if count else float("inf"),
        results=tally["results"],
        problems=problems,
        whole_p99_ms=_p99(delays_ms),
    )


def _p99(delays_ms: list[float]) -> float:
    return quantiles(delays_ms, n=100)[98] if len(delays_ms) > 1 else float("inf")


def match(sent: dict[str, list], asked: dict[str, list]) -> tuple[list[float], list[str]]:
    """Pair the commands of each terminal with the requests to the PBX; return the delays in ms, and the problems."""
    delays_ms: list[float] = []
    problems = []
    for name in sorted({*sent, *asked}):
        wanted, done = sent.get(name, []), asked.get(name, [])
        if [number for _, number in wanted] != [number for _, number in done]:
            problems.append(
                f"{name} sent {len(wanted)} commands, and the PBX was asked {len(done)} times, or otherwise"
            )
            continue
        delays_ms += [(done_ns - sent_ns) / 1e6 for (sent_ns, _), (done_ns, _) in zip(wanted, done, strict=True)]
    return delays_ms, problems


async def measure_hello(scene: Scene) -> tuple[float, list[str]]:
    """Let all terminals that joined say hello at once; return the seconds until the last has its permissions."""
    answer = await scene.crowd.ask(_HELLO_PATIENCE_S + 30, do="hello", patience_s=_HELLO_PATIENCE_S)
    times, problems = answer["permissions_s"], answer["wrong"]
    is_complete = len(times) == answer["ready"] == answer["terminals"]
    return (times[-1] if is_complete else float("inf")), problems
