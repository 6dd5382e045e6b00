"""Every setting is documented, and the documented file is a valid one."""

import re
from pathlib import Path
from typing import get_args, get_origin

from pydantic import BaseModel

from service.configuration.load import load
from service.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()


def keys_of(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Dotted names of all settings below a section."""
    found: list[str] = []
    for name, field in model.model_fields.items():
        kinds = get_args(field.annotation) or (field.annotation,)  # a section that may be left out: X | None
        sections = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if sections and get_origin(field.annotation) is not list:
            found += keys_of(sections[0], f"{prefix}{name}.")
        else:
            found.append(prefix + name)
    return found


def test_every_key_is_documented_and_no_other() -> None:
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    documented = {key for row in rows for key in re.findall(r"`([a-z_.]+)`", row)}
    assert documented == set(keys_of(Settings))


def test_example_file_is_valid(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    config = tmp_path / "site.toml"
    config.write_text(example.group(1))
    settings = load(config, {}).settings
    assert [room.room for room in settings.rooms] == ["lobby"]
    assert settings.rooms[0].size_m == (6.0, 4.5)
    assert settings.links[0].room == "lobby"
