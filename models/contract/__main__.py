"""Check one model in this process, which limits itself first: ``python -m models.contract MODEL CARD``.

Prints one JSON object: ``{"ok": true, …}`` or ``{"ok": false, "why": …, "broken": [each rule]}``; exit code 0
or 1. ``missing`` names a package that checking needs.
"""

import hashlib
import json
import resource
import sys
from dataclasses import replace
from pathlib import Path

MEMORY_BYTES = 3 * 1024**3
CPU_SECONDS = 60


def main(model: str, card: str) -> int:
    """Check and print; the exit code."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        from models.contract.graph import BrokenContractError, check_card, check_names, read_graph
    except ModuleNotFoundError as error:
        return _refused([f"needs {error.name}, of the extra `train`"], missing=error.name)
    from models.contract.probe import probe
    from models.zoo import CardError, ShelvedModel, parse_card

    broken: list[str] = []
    try:
        onnx = Path(model).read_bytes()
        named = parse_card(Path(card).read_text(encoding="utf-8"), Path(card).name)
        try:
            check_card(named)
        except BrokenContractError as error:
            broken += error.rules
        shapes = check_names(read_graph(onnx), named)
        if broken:
            return _refused(broken)
        seen = probe(ShelvedModel(replace(named, digest=hashlib.sha256(onnx).hexdigest()), onnx), shapes)
    except BrokenContractError as error:
        return _refused([*broken, *error.rules])
    except (CardError, OSError, UnicodeDecodeError) as error:
        return _refused([str(error)])
    told = {
        "ok": True,
        "name": named.name,
        "task": named.task,
        "features": named.features,
        "bytes": len(onnx),
        "digest": hashlib.sha256(onnx).hexdigest(),
        "shapes": {name: list(shape) for name, shape in shapes.items()},
        "streams": list(seen.streams),
        "window_ms": seen.window_ms,
    }
    print(json.dumps(told))
    return 0


def _refused(broken: list[str], **more: object) -> int:
    print(json.dumps({"ok": False, "why": "; ".join(broken), "broken": broken, **more}))
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
