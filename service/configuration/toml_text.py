"""Writing TOML 1.0: tables of lists at the top, everything below them in line."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(document: Mapping[str, Any]) -> str:
    """The document as TOML; members that are null are left out."""
    plain = {name: value for name, value in document.items() if not _is_tables(value) and value is not None}
    lines = [f"{_key(name)} = {_inline(value)}" for name, value in plain.items()]
    for name, value in document.items():
        for table in value if _is_tables(value) else []:
            lines += ["", f"[[{_key(name)}]]"]
            lines += [f"{_key(key)} = {_inline(one)}" for key, one in table.items() if one is not None]
    return "\n".join(lines) + "\n"


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _string(name)


def _string(text: str) -> str:
    """A basic string: JSON's escapes are TOML's too, but for DEL, which JSON leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _inline(value: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(name)} = {_inline(one)}" for name, one in value.items() if one is not None)
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_inline(one) for one in value)}]"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, float) and math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return f"{value:.1f}"
    return json.dumps(value)
