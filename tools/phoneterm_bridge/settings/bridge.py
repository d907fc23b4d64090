"""The bridge's settings: one immutable object from a TOML file, the environment and the command line, all checked.

Does not read the store and does not connect to anything. Later sources win: file, the variables beside it (bridge.env),
environment, command line. An environment name is PHONETERM_SECTION__KEY, a command line override `section.key=value`.
Times are milliseconds. A SetupProblem lists all mistakes, one sentence a line.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from phoneterm_bridge.settings import given, mistakes
from phoneterm_bridge.settings.broker import BrokerSettings
from phoneterm_bridge.settings.console import ConsoleSettings
from phoneterm_bridge.settings.file_path import require_name
from phoneterm_bridge.settings.given import Given
from phoneterm_bridge.settings.http import HttpSettings
from phoneterm_bridge.settings.place import STORE_BESIDE, default_store
from phoneterm_bridge.settings.policy import PolicySettings
from phoneterm_bridge.settings.voipnow import VoipNowSettings

DEFAULT = "default"
_LEGEND = r"^[0-9A-Z*#]$"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PbxSettings(_Section):
    """Which PBX the bridge asks, and how it logs in to an Asterisk. context: the dialplan context of new extensions."""

    kind: Literal["asterisk", "voipnow"] = "asterisk"
    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(5038, ge=1, le=65535)
    username: str = "phoneterm"
    secret: SecretStr = SecretStr("")
    tls: bool = False
    context: str = Field("internal", pattern=r"^[A-Za-z0-9_.-]{1,64}$")


class StoreSettings(_Section):
    """Where users, extensions, terminals, permissions and the journal are kept.

    numbers_days: how long the journal keeps dialled numbers; 0: for ever.
    """

    path: Path = STORE_BESIDE
    numbers_days: int = Field(0, ge=0, le=36_500)

    _require_name = field_validator("path")(require_name)


class PhoneSettings(_Section):
    """What every terminal is told about numbers, timers, tones and the roles of keys."""

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
    """How much is logged, and how: console for people, json for machines; auto is json only in systemd's journal."""

    format: Literal["auto", "console", "json"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class BridgeSettings(_Section):
    """All settings of the bridge."""

    broker: BrokerSettings = BrokerSettings()
    pbx: PbxSettings = PbxSettings()
    voipnow: VoipNowSettings = VoipNowSettings()
    store: StoreSettings = StoreSettings()
    phones: PhoneSettings = PhoneSettings()
    policy: PolicySettings = PolicySettings()
    http: HttpSettings = HttpSettings()
    console: ConsoleSettings = ConsoleSettings()
    log: LogSettings = LogSettings()

    @model_validator(mode="after")
    def _require_the_pbx(self) -> Self:
        """Name what a VoipNow needs and has not, one sentence a line."""
        missing = self.voipnow.missing() if self.pbx.kind == "voipnow" else ()
        if sentences := [f'With pbx.kind = "voipnow" the bridge needs the setting {name}' for name in missing]:
            raise ValueError("\n".join(sentences))
        if self.voipnow.events_url and not self.http.enabled:
            raise ValueError("The setting voipnow.events_url leads to the bridge's pages: set http.enabled = true")
        return self


class Loaded(NamedTuple):
    """The settings, and by name the source of each one that is not a default."""

    settings: BridgeSettings
    sources: dict[str, str]


def secrets_in(overrides: Iterable[str]) -> list[str]:
    """Return the names of the secrets among `section.key=value` overrides."""
    names = [text.partition("=")[0].strip() for text in overrides]
    secret = {
        f"{section}.{key}"
        for section, model in BridgeSettings()
        for key, field in type(model).model_fields.items()
        if field.annotation is SecretStr
    }
    return [name for name in names if name in secret]


def load_settings(path: Path | None = None, overrides: tuple[str, ...] = ()) -> BridgeSettings:
    """Return the settings of a TOML file (None: defaults), the environment and `section.key=value` overrides."""
    return load(path, overrides).settings


def load(
    path: Path | None = None, overrides: tuple[str, ...] = (), environment: Mapping[str, str] = os.environ
) -> Loaded:
    """Return the settings with their sources; a SetupProblem lists all mistakes."""
    sections = {name: type(section) for name, section in BridgeSettings()}
    layers = [] if path is None else [given.read_file(path, sections), given.read_variables_beside(path, sections)]
    layers += [given.read_environment(environment, sections), given.read_overrides(overrides, sections)]
    wrong = [mistake for layer in layers for mistake in layer.mistakes]
    values = {"store.path": Given(default_store(path, environment), DEFAULT, "")}
    for layer in layers:
        values |= layer.values
    settings = _validate(values, wrong)
    mistakes.refuse(wrong)
    assert settings is not None
    return Loaded(settings, {name: one.source for name, one in values.items()})


def _validate(values: dict[str, Given], wrong: list[str]) -> BridgeSettings | None:
    """Return the settings, or None when a value is wrong; every mistake is added to `wrong`.

    Whether settings fit together is only checked in a section whose own values are all right. So the check runs once
    more without the wrong values; a mistake that it then finds with one of these is ignored.
    """
    where = {name: one.where for name, one in values.items()}
    try:
        return BridgeSettings.model_validate(_as_tree(values))
    except ValidationError as error:
        wrong += mistakes.describe_wrong(error, where)
        names = mistakes.wrong_names(error)
    try:
        BridgeSettings.model_validate(_as_tree({name: one for name, one in values.items() if name not in names}))
    except ValidationError as error:
        more = mistakes.describe_wrong(error, where)
        wrong += [one for one in more if one not in wrong and not any(name in one for name in names)]
    return None


def _as_tree(values: dict[str, Given]) -> dict[str, dict[str, object]]:
    tree: dict[str, dict[str, object]] = {}
    for name, one in values.items():
        section, _, key = name.partition(".")
        tree.setdefault(section, {})[key] = one.value
    return tree
