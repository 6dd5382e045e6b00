"""A small data folder of simulated recordings with labels of every task, as a person would lay it out.

It is called `simulation`: what is trained on it says so, and speaks for simulated frames.
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from drivers.frame import FrameBlock
from drivers.registry import load
from drivers.simulate.corpus import (
    labelled_activities,
    labelled_blocks,
    labelled_positions,
    labelled_walks,
)
from drivers.simulate.gate import gate_scene
from drivers.simulate.recording import record, room_number, start_ns
from drivers.simulate.schedule import constant

NIC = "intel5300"
SEED = 3
Intervals = Sequence[tuple[float, float, str]]


@dataclass
class Folder:
    """Captures and the lines of `dataset.toml` about them.

    Attributes:
        domains: of each task, in order of appearance.
        last: of each task, a capture of the last domain.
    """

    path: Path
    domains: dict[str, list[str]] = field(default_factory=dict)
    last: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.path.mkdir(parents=True)
        (self.path / "dataset.toml").write_text("schema = 1\n")

    def add(
        self,
        name: str,
        domain: str,
        blocks: Sequence[FrameBlock],
        labels: Mapping[str, str],
        intervals: Intervals = (),
    ) -> None:
        """A recording in the card's own bytes, and its entry."""
        (self.path / f"{name}.dat").write_bytes(encoded(blocks))
        self.note(f"{name}.dat", domain, labels, intervals)

    def note(self, file: str, domain: str, labels: Mapping[str, str], intervals: Intervals = ()) -> None:
        """The entry of a capture that is there; intervals are of the task `activity`."""
        texts = ", ".join(f'{task} = "{label}"' for task, label in labels.items())
        lines = [
            f'\n[[recording]]\nfile = "{file}"\nnic = "{NIC}"\ndomain = "{domain}"\nsession = "{file}"',
            f'person = "p-{domain}"\nday = 2026-11-21\nlicence = "made up"\nlabels = {{ {texts} }}',
        ]
        lines += [
            f'[[recording.interval]]\ntask = "activity"\nlabel = "{label}"\nfrom_s = {start}\nto_s = {end}'
            for start, end, label in intervals
        ]
        with (self.path / "dataset.toml").open("a") as manifest:
            manifest.write("\n".join(lines) + "\n")
        for task in (*labels, *(("activity",) if intervals else ())):
            known = self.domains.setdefault(task, [])
            known += [domain] if domain not in known else []
            self.last[task] = self.path / file


def encoded(blocks: Sequence[FrameBlock]) -> bytes:
    """The card's bytes of these frames; its clock starts with the first of them."""
    begin, nic = int(blocks[0].table["capture_ns"][0]), load(NIC)
    out = []
    for block in blocks:
        table = block.table.copy()
        table["capture_ns"] = (table["capture_ns"] - begin) // 1000 * 1000
        out.append(nic.encode(replace(block, table=table)))
    return b"".join(out)


def make_folder(path: Path) -> Folder:
    """Two domains of each task, each class in both; places are labelled in metres."""
    folder = Folder(path)
    for room, people, blocks in labelled_blocks(SEED, 2, 12.0, (0, 1, 2)):
        labels = {"counting": str(people), "presence": "occupied" if people else "vacant"}
        folder.add(f"{room}-{people}", room, blocks, labels)
    for _, day, cell, x, y, blocks in labelled_positions(SEED, 2, 8.0, 2.0):
        folder.add(f"day{day}-{cell}", f"day{day}", blocks, {"localization": f"{x:.2f}, {y:.2f}"})
    for room, _, spans, blocks in labelled_activities(SEED, 2, 1, 40.0, ("walking", "waving")):
        begin = int(blocks[0].table["capture_ns"][0])
        acts = [((one.from_ns - begin) / 1e9, (one.to_ns - begin) / 1e9, one.label) for one in spans]
        folder.add(
            f"acts-{room}", room, blocks, {}, [(max(start, 0.0), end, act) for start, end, act in acts]
        )
    for gate, walk, carried, blocks in labelled_walks(SEED, 2, 6, 1, ("none", "metal")):
        folder.add(f"walk-{gate}-{walk.number}", gate, blocks, {"suspicious_object": carried})
    folder.last["suspicious_object"] = path / "crossing.dat"
    folder.last["suspicious_object"].write_bytes(encoded(_crossing()))
    return folder


def _crossing() -> list[FrameBlock]:
    """Somebody walks through a gate, and nobody for a while."""
    scene, (walk,) = gate_scene(room_number(SEED, 1), ["metal"], day=1)
    return record(replace(scene, schedule=constant(0, walk.to_s + 10.0)), start_ns(1, 1))


def with_cells(folder: Folder, path: Path) -> Path:
    """The same recordings elsewhere; places have names instead of metres."""
    shutil.copytree(folder.path, path)
    names: dict[str, str] = {}
    lines = (path / "dataset.toml").read_text().splitlines()
    for number, line in enumerate(lines):
        if found := re.fullmatch(r'(.* localization = )"(.*)" }', line):
            lines[number] = f'{found[1]}"{names.setdefault(found[2], f"c{len(names)}")}" }}'
    (path / "dataset.toml").write_text("\n".join(lines) + "\n")
    return path
