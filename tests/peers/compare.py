"""The table of docs/parsers.md: Roomtone beside csiread and CSIKit on every corner case.

    python -m tests.peers.compare --captures DIR --golden DIR --write docs/parsers.md

Every parser reads every capture in a process of its own, since some die. CSIKit needs NumPy 1 and so a
virtual environment of its own, which is made in a temporary folder unless ``--csikit-python`` names one.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.peers.cases import CASES, Case
from tests.peers.verdict import Reference, on_three_antennas

HERE = Path(__file__).parent
TIMEOUT_S = 120
FRAMES = "frames.npz"
CSIKIT = ("CSIKit==2.5", "numpy==1.26.4")
SUFFIX = {"intel5300": ".dat", "atheros": ".dat", "nexmon": ".pcap"}
MARKS = ("<!-- table: made by tests/peers/compare.py -->", "<!-- end of table -->")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one parser made of one capture: how it ended, and its frames by verdict."""

    end: str
    verdicts: Counter[str]

    def text(self, case: Case) -> str:
        """One cell of the table."""
        found = sum(self.verdicts.values())
        if self.end:
            return self.end
        wrong = {kind: n for kind, n in self.verdicts.items() if kind != "right" and n}
        if wrong == {"zeros": 1} and "zeros" in case.odd:
            wrong = {}
        if found == case.frames == 0:
            return "**0**, without a word"
        if set(wrong) <= {"unchecked"} and found == case.frames:
            if not wrong:
                return f"{found}, right"
            all_of_them = self.verdicts["unchecked"] == found
            return f"{found}" + (
                ", not compared" if all_of_them else f", right ({wrong['unchecked']} not compared)"
            )
        words = {"unchecked": "not compared"}
        parts = [f"{n} {words.get(kind, kind)}" for kind, n in wrong.items()]
        if found != case.frames:
            parts.insert(0, f"expected {case.frames}")
        return f"**{found}**: " + ", ".join(parts)


def _run(command: list[str], folder: Path) -> tuple[str, Path]:
    """How a reader ended (empty if well), and where its frames are."""
    out = folder / FRAMES
    out.unlink(missing_ok=True)
    environment = os.environ | {"PYTHONPATH": str(HERE.parent.parent)}
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, env=environment, check=False)
    except subprocess.TimeoutExpired:
        return "**hangs**", out
    if done.returncode < 0:
        return f"**dies: {signal.Signals(-done.returncode).name}**", out
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["?"]
        return f"**{lines[-1].split(':')[0].removeprefix('drivers.errors.')}**", out
    return "", out


def _outcome(command: list[str], case: Case, reference: Reference | None, folder: Path) -> Outcome:
    end, out = _run(command, folder)
    if end or not out.exists():
        return Outcome(end or "**nothing**", Counter())
    with np.load(out, allow_pickle=False) as file:
        frames = [on_three_antennas(file[name], case.nic) for name in file.files]
    if reference is None:
        return Outcome("", Counter(unchecked=len(frames)))
    return Outcome(
        "", Counter(reference.judge(f, chains=at == case.chains_at) for at, f in enumerate(frames))
    )


def table(captures: Path, golden: Path, csikit: str) -> list[str]:
    """Rows of the table, as Markdown."""
    references = {nic: Reference(golden, suffix) for nic, suffix in SUFFIX.items()}
    rows = [
        "| capture | what is odd | right answer | Roomtone | csiread 1.4.1 | CSIKit 2.5 |",
        "|" + "---|" * 6,
    ]
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            rows.append(_row(case, captures, references.get(case.nic), csikit, Path(folder)))
            sys.stderr.write(rows[-1] + "\n")
    return rows


def our_cell(case: Case, captures: Path, reference: Reference | None, folder: Path, python: str) -> str:
    """Our cell of a case."""
    file, out = str(captures / case.file), str(folder / FRAMES)
    outcome = _outcome([python, "-m", "tests.peers.read_roomtone", file, out], case, reference, folder)
    if outcome.end == "**UnknownFormatError**" and case.frames == 0:
        return "refused, right"
    return outcome.text(case)


def _row(case: Case, captures: Path, reference: Reference | None, csikit: str, folder: Path) -> str:
    file, out = str(captures / case.file), str(folder / FRAMES)
    told = [case.nic, case.chip, case.bandwidth]
    peers = [
        _outcome(command, case, reference, folder).text(case)
        for command in (
            [sys.executable, str(HERE / "read_csiread.py"), file, out, *told],
            [csikit, str(HERE / "read_csikit.py"), file, out],
        )
    ]
    name = Path(case.file).name + ("" if case.real else " (made)")
    cells = " | ".join([our_cell(case, captures, reference, folder, sys.executable), *peers])
    return f"| {name} | {case.odd} | {case.frames}: {case.right} | {cells} |"


def _csikit_python(folder: Path) -> str:
    """A virtual environment with CSIKit and the NumPy it needs."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", *CSIKIT], check=True)
    return python


def main() -> None:
    """Write the table into the page, or print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captures", type=Path, required=True)
    parser.add_argument("--golden", type=Path, required=True)
    parser.add_argument("--csikit-python")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = table(options.captures, options.golden, options.csikit_python or _csikit_python(Path(folder)))
    if options.write is None:
        sys.stdout.write("\n".join(rows) + "\n")
        return
    text = options.write.read_text()
    before, after = text.split(MARKS[0])[0], text.split(MARKS[1])[1]
    options.write.write_text("\n".join([before + MARKS[0], "", *rows, "", MARKS[1] + after.rstrip("\n"), ""]))


if __name__ == "__main__":
    main()
