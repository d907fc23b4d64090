"""The bridge's settings: one immutable object from a TOML file, the environment and the command line, all checked.

Does not read the store and does not connect to anything. Later sources win: file, environment, command line.
An environment name is PHONETERM_SECTION__KEY, a command line override is `section.key=value`. Times are
milliseconds. Every mistake is a SetupProblem of one sentence that names the key.
"""

import difflib
import os
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from phoneterm_bridge.settings.broker import BrokerSettings
from phoneterm_bridge.settings.http import HttpSettings
from phoneterm_bridge.settings.policy import PolicySettings
from phoneterm_bridge.settings.problem import SetupProblem

ENVIRONMENT_PREFIX = "PHONETERM_"
_LEGEND = r"^[0-9A-Z*#]$"
_MOST_CHARS_SHOWN = 60
_MOST_SENTENCE_CHARS = 400


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PbxSettings(_Section):
    """Which PBX the bridge asks, and how it logs in there."""

    kind: Literal["asterisk"] = "asterisk"
    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(5038, ge=1, le=65535)
    username: str = "phoneterm"
    secret: SecretStr = SecretStr("")
    tls: bool = False


class StoreSettings(_Section):
    """Where users, extensions, terminals, permissions and the journal are kept."""

    path: Path = Path("state/phoneterm.db")


class PhoneSettings(_Section):
    """What every terminal is told about numbers, timers, tones and key roles."""

    ttl_ms: int = Field(8000, ge=100, le=60000)
    digit_map: str = ""
    code_ms: int | None = Field(None, ge=500, le=10000)
    digit_ms: int | None = Field(None, ge=500, le=10000)
    total_ms: int | None = Field(None, ge=2000, le=60000)
    country: str | None = Field(None, pattern="^[a-z]{2}$")
    commit: str | None = Field(None, pattern=_LEGEND)
    erase: str | None = Field(None, pattern=_LEGEND)
    cancel: str | None = Field(None, pattern=_LEGEND)
    swap: str | None = Field(None, pattern=_LEGEND)


class LogSettings(_Section):
    """How much is logged, and for whom: people read console, machines json."""

    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"


class BridgeSettings(BaseSettings):
    """All settings of the bridge."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    broker: BrokerSettings = BrokerSettings()
    pbx: PbxSettings = PbxSettings()
    store: StoreSettings = StoreSettings()
    phones: PhoneSettings = PhoneSettings()
    policy: PolicySettings = PolicySettings()
    http: HttpSettings = HttpSettings()
    log: LogSettings = LogSettings()


def load_settings(path: Path | None = None, overrides: tuple[str, ...] = ()) -> BridgeSettings:
    """Return the settings of a TOML file (None: defaults), the environment and `section.key=value` overrides."""
    from_file = _read_file(path) if path else {}
    _check_environment()

    class _Layered(BridgeSettings):
        @classmethod
        def settings_customise_sources(
            cls, settings_cls, init_settings, env_settings, dotenv_settings, file_secret_settings
        ):
            return init_settings, env_settings, lambda: from_file

    try:
        layered = _Layered(**_parse_overrides(overrides))
    except ValidationError as error:
        raise SetupProblem(_sentence(error, path)) from None
    return BridgeSettings.model_construct(**{name: getattr(layered, name) for name in BridgeSettings.model_fields})


def _read_file(path: Path) -> dict:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SetupProblem(f"The settings file {path} does not exist; `phoneterm bridge init` writes one.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SetupProblem(f"The settings file {path} cannot be read: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise SetupProblem(f"The settings file {path} is not TOML: {error}.") from None


def _parse_overrides(overrides: tuple[str, ...]) -> dict:
    tree: dict = {}
    for text in overrides:
        name, equals, value = text.partition("=")
        section, dot, key = name.strip().partition(".")
        if not equals or not dot or not section or not key:
            raise SetupProblem(f"The override '{show_name(name.strip())}' is not of the form section.key=value.")
        tree.setdefault(section, {})[key] = value
    return tree


def _check_environment() -> None:
    """Refuse a misspelt section in an environment name; pydantic itself refuses a misspelt key."""
    for name in os.environ:
        section, nested, _ = name.removeprefix(ENVIRONMENT_PREFIX).partition("__")
        if name.startswith(ENVIRONMENT_PREFIX) and nested and section.lower() not in BridgeSettings.model_fields:
            nearest = _nearest(section.lower(), list(BridgeSettings.model_fields))
            raise SetupProblem(f"The environment variable {name} names no section of the settings{nearest}")


def _sentence(error: ValidationError, path: Path | None) -> str:
    """Say the first mistake of a validation in one sentence, without its value (it might be a secret)."""
    first = error.errors(include_url=False, include_input=False)[0]
    name = show_name(".".join(str(part) for part in first["loc"]))
    where = f" (in {path}, the environment or the command line)" if path else ""
    if first["type"] == "value_error":  # of a check of our own, which is a sentence
        return f"{_escape(str(first['ctx']['error']))}{where}."
    if first["type"] == "extra_forbidden":
        return f"The settings have no key {name}{where}{_nearest(str(first['loc'][-1]), _keys_beside(first['loc']))}"
    return f"The setting {name} is not right: {first['msg'][:1].lower() + first['msg'][1:]}{where}."


def show_name(name: str) -> str:
    """Return a name that came from outside as it can be printed: escaped, and cut short."""
    shown = ascii(name)[1:-1]
    return shown if len(shown) <= _MOST_CHARS_SHOWN else f"{shown[:_MOST_CHARS_SHOWN]}..."


def _escape(sentence: str) -> str:
    """Return a sentence of our own, which may quote a setting, as one line that can be printed."""
    shown = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in sentence)
    return shown if len(shown) <= _MOST_SENTENCE_CHARS else f"{shown[:_MOST_SENTENCE_CHARS]}..."


def _keys_beside(location: tuple) -> list[str]:
    fields = BridgeSettings.model_fields
    if len(location) == 1:
        return list(fields)
    return list(fields[location[0]].annotation.model_fields)  # type: ignore[union-attr]


def _nearest(wrong: str, right: list[str]) -> str:
    close = difflib.get_close_matches(wrong, right, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(right)}."
