"""The clock is set before a certificate is checked, and what stands in the way is said once. On the MicroPython VM."""

STORY = """
import sys
from phoneterm.device import clock

async def story(lab):
    years, answers, hosts, logged = [2000], {answers}, [], []

    class Time:
        def localtime():
            return (years[0], 1, 1)

    class Ntptime:
        host = "the stock one"

        def settime():
            hosts.append(Ntptime.host)
            answer = answers.pop(0)
            if answer is None:
                raise OSError(-202)
            years[0] = answer

    async def wait_network():
        logged.append("network")

    clock.time = Time
    clock.RETRY_MS = 1
    if {has_ntptime}:
        sys.modules["ntptime"] = Ntptime
    wait = clock.make_wait(wait_network, lambda event, detail: logged.append(event), {time_host})
    await asyncio.wait_for_ms(wait(), {most_ms})
    lab.say(years[0], hosts, logged)
"""


def story(answers, time_host=None, has_ntptime=True, most_ms=2000):
    return (
        STORY.replace("{answers}", repr(answers))
        .replace("{time_host}", repr(time_host))
        .replace("{has_ntptime}", repr(has_ntptime))
        .replace("{most_ms}", str(most_ms))
    )


async def test_a_chip_that_was_just_switched_on_asks_once_there_is_a_network(tell):
    said = await (await tell(1, story([2026]))).end()
    assert said == [[2026, ["the stock one"], ["network", "network"]]]


async def test_the_time_server_of_the_settings_is_asked(tell):
    said = await (await tell(1, story([2026], time_host="time.lab"))).end()
    assert said[0][1] == ["time.lab"]


async def test_without_an_answer_it_asks_again_and_says_once_that_the_clock_is_wrong(tell):
    said = await (await tell(1, story([None, None, 1970, 2026]))).end()
    assert said[0][0] == 2026
    assert len(said[0][1]) == 4
    assert [event for event in said[0][2] if event != "network"] == ["clock-wrong"]


async def test_a_clock_that_looks_right_is_left_alone(tell):
    text = story([]).replace("years, answers, hosts, logged = [2000]", "years, answers, hosts, logged = [2026]")
    assert await (await tell(1, text)).end() == [[2026, [], ["network"]]]
