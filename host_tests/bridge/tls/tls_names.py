"""What the tests of TLS call the broker, and how they learn why it was refused."""

NAME = "localhost"

HOST = "127.0.0.1"


async def refusal(client):
    """Return why the terminal was refused, from its log."""
    event = await client.wait_for_event(lambda one: one["event"] == "log" and one["line"].startswith("link-refused "))
    return event["line"].partition(" ")[2]
