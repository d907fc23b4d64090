"""Which settings are given, and where: in a file, in a file of variables beside it, in the environment, with `--set`.

Does not check values, only names. A name is "section.key". Every mistake is a sentence.
"""

import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from phoneterm_bridge.settings import variables
from phoneterm_bridge.settings.environment_file import read_variables
from phoneterm_bridge.settings.mistakes import describe_unknown, find_like, nearest, show_name
from phoneterm_bridge.settings.place import variables_beside

_BYTE_ORDER_MARK = "\ufeff"

Sections = Mapping[str, type[BaseModel]]


class Given(NamedTuple):
    """A value and its source: as it is shown, and as the end of a sentence about it."""

    value: object
    source: str
    where: str


@dataclass
class Layer:
    """What one source gives: values by the name of the setting, and the mistakes in it."""

    values: dict[str, Given] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)


def read_file(path: Path, sections: Sections) -> Layer:
    """Read a TOML file; paths in it are relative to the file."""
    layer, where = Layer(), f" (in {path})"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        layer.mistakes.append(_describe_missing(path))
        return layer
    except OSError as error:
        layer.mistakes.append(f"The settings file {path} cannot be read: {error.strerror}.")
        return layer
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        layer.mistakes.append(f"The settings file {path}, line {line}: this is not UTF-8; save the file as UTF-8.")
        return layer
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        layer.mistakes.append(f"The settings file {path} is not TOML: {error}.")
        return layer
    for section, keys in content.items():
        if section not in sections:
            layer.mistakes.append(describe_unknown(section, where, sections))
        elif not isinstance(keys, dict):
            layer.mistakes.append(f"The setting {section} is not right: it is a section, [{section}]{where}.")
        else:
            for key, value in keys.items():
                if key in sections[section].model_fields:
                    placed = _place(value, sections[section], key, path.parent)
                    layer.values[f"{section}.{key}"] = Given(placed, str(path), where)
                else:
                    layer.mistakes.append(describe_unknown(f"{section}.{key}", where, sections[section].model_fields))
    return layer


def _describe_missing(path: Path) -> str:
    if path.is_symlink():
        return f"The settings file {path} is a link to {os.readlink(path)}, which does not exist."
    return f"The settings file {path} does not exist; `phoneterm bridge init` writes one."


def read_variables_beside(path: Path, sections: Sections) -> Layer:
    """Read the file of variables beside a settings file, if there is one."""
    beside, layer = variables_beside(path), Layer()
    try:
        text = beside.read_text(encoding="utf-8")
    except FileNotFoundError:
        if beside.is_symlink():
            layer.mistakes.append(f"The file {beside} is a link to {os.readlink(beside)}, which does not exist.")
        return layer
    except OSError as error:
        layer.mistakes.append(
            f"The file {beside}, which has settings too, cannot be read: {error.strerror}; be root, or the user of the "
            "bridge."
        )
        return layer
    except UnicodeDecodeError:
        layer.mistakes.append(f"The file {beside} is not UTF-8.")
        return layer
    if text.startswith(_BYTE_ORDER_MARK):
        text = text.removeprefix(_BYTE_ORDER_MARK)
        layer.mistakes.append(f"The file {beside} begins with a byte order mark, with which systemd does not read it.")
    found = {}
    for variable in read_variables(text):
        if variable.value is None and variable.is_exported:
            layer.mistakes.append(
                f"Line {variable.line} of {beside} begins with export, which systemd does not read: write NAME=VALUE."
            )
        elif variable.value is None:
            layer.mistakes.append(f"Line {variable.line} of {beside} is not NAME=VALUE, with quotes that end.")
        else:
            found[variable.name] = variable.value
    read = read_environment(found, sections, str(beside), path.parent)
    return Layer(read.values, layer.mistakes + read.mistakes)


def read_environment(
    environment: Mapping[str, str], sections: Sections, source: str = "", folder: Path | None = None
) -> Layer:
    """Read environment variables. If they are from a file, `source` names it, and paths are relative to `folder`."""
    layer = Layer()
    for name, text in environment.items():
        upper = name.upper()
        if not upper.startswith(variables.PREFIX) or upper in variables.OTHERS:
            continue
        section, nested, key = upper.removeprefix(variables.PREFIX).lower().partition("__")
        where = f" ({name} in {source or 'the environment'})"
        if nested and section in sections and key in sections[section].model_fields:
            value = _read_text(text, sections[section], key)
            placed = _place(value, sections[section], key, folder) if folder else value
            layer.values[f"{section}.{key}"] = Given(placed, source or name, where)
        elif nested and section in sections:
            layer.mistakes.append(describe_unknown(f"{section}.{key}", where, sections[section].model_fields))
        else:
            layer.mistakes.append(_describe_unknown_variable(name, section if nested else "", sections, source))
    return layer


def read_overrides(texts: Iterable[str], sections: Sections) -> Layer:
    """Read the `section.key=value` texts of the command line."""
    layer = Layer()
    for text in texts:
        name, equals, value = text.partition("=")
        section, dot, key = name.strip().partition(".")
        if not equals or not dot or not section or not key:
            layer.mistakes.append(f"The override '{show_name(name.strip())}' is not of the form section.key=value.")
        elif section not in sections:
            layer.mistakes.append(describe_unknown(section, "", sections))
        elif key not in sections[section].model_fields:
            layer.mistakes.append(describe_unknown(f"{section}.{key}", "", sections[section].model_fields))
        else:
            layer.values[f"{section}.{key}"] = Given(_read_text(value, sections[section], key), "--set", "")
    return layer


def _describe_unknown_variable(name: str, section: str, sections: Sections, source: str) -> str:
    where = f" (in {source})" if source else ""
    shown = show_name(name)
    if section:
        return f"The environment variable {shown} names no section of the settings{where}{nearest(section, sections)}"
    names = [variables.variable_of(one, key) for one, model in sections.items() for key in model.model_fields]
    like = find_like(name.upper(), [*names, *sorted(variables.OTHERS)], variables.PREFIX)
    meant = f"; did you mean {like}?" if like else "; one of a setting is such as PHONETERM_BROKER__PORT."
    return f"The environment variable {shown} names no setting{where}{meant}"


def _read_text(text: str, section: type[BaseModel], key: str) -> Any:
    """Return the value that a text stands for: a list is JSON, or words separated by commas."""
    if get_origin(section.model_fields[key].annotation) is not tuple:
        return text
    if not text.lstrip().startswith("["):
        return tuple(word.strip() for word in text.split(",") if word.strip())
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text  # not a list, so the check of values refuses it


def _place(value: Any, section: type[BaseModel], key: str, folder: Path) -> Any:
    """Return a value from a file in `folder`: paths are relative to the folder."""
    annotation = section.model_fields[key].annotation
    is_path = annotation is Path or (get_origin(annotation) in (Union, UnionType) and Path in get_args(annotation))
    return folder / value if is_path and isinstance(value, str) and value else value
