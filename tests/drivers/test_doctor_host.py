"""Every check of a card's host, once right and once wrong, on made-up root folders."""

import ast
import json
import re
import socket
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.doctor.host import CHECKS, NICS, CannotLook, Host, examine
from drivers.doctor.host.tools import run_tool
from tests.drivers.host_tree import NETLINK_HEAD, UDP_HEAD, Tree, healthy
from tests.ports import free_port

REPOSITORY = Path(__file__).parents[2]
BESIDE = REPOSITORY / "deploy" / "forwarder"
FOLDER = BESIDE / "roomtone_host"
IDS = [check.id for check in CHECKS]


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    made = healthy(tmp_path)
    yield made
    made.close()


def look(tree: Tree) -> dict[str, dict[str, str]]:
    return {found["id"]: found for found in examine(tree.host(), NICS)}


def option(**words: object) -> Callable[[Tree], None]:
    return lambda tree: tree.options.update(words)


def put(path: str, text: str) -> Callable[[Tree], None]:
    return lambda tree: tree.put(path, text)


def drop(path: str) -> Callable[[Tree], None]:
    return lambda tree: tree.drop(path)


def tool(words: str, said: str) -> Callable[[Tree], None]:
    return lambda tree: tree.tools.update({words: said})


def held_by(path: str, *pids: str) -> Callable[[Tree], None]:
    def hold(tree: Tree) -> None:
        for pid in pids:
            tree.link(f"/proc/{pid}/fd/4", path)

    return hold


def no_cards(tree: Tree) -> None:
    for path in ("/sys/bus", "/sys/class"):
        tree.drop(path)


def rate(value: int) -> Callable[[Tree], None]:
    return lambda tree: setattr(tree, "rate", value)


def closed_port(tree: Tree) -> None:
    tree.options["to"] = f"tcp://127.0.0.1:{free_port()}"


def clock_wrong(tree: Tree) -> None:
    tree.drop("/run/systemd/timesync/synchronized")
    tree.clock_state = False


def both_firmwares(tree: Tree) -> None:
    tree.put("/lib/firmware/iwlwifi-5000-5.ucode", "firmware of the maker")


def plain_file(tree: Tree) -> None:
    tree.drop("/dev/CSI_dev")
    tree.put("/dev/CSI_dev", "")


def listener(drops: int) -> str:
    return NETLINK_HEAD + f"0000 11  4711       02000000 0        0        0     2        {drops}      99\n"


def bound(address: str, drops: int) -> str:
    tail = f"00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 99 2 0000 {drops}"
    return UDP_HEAD + f"    9: {address}:157C {tail}\n"


TYPE, STATE = "/sys/class/net/{}/type", "/sys/class/net/{}/operstate"
MASK = "/sys/module/iwlwifi/parameters/connector_log"
FAULTS = [
    ("host.python", "warning", option(python=(3, 6))),
    ("host.python", "failed", option(python=(2, 7))),
    ("host.nic", "warning", no_cards),
    ("host.clock", "warning", clock_wrong),
    ("host.load", "warning", put("/proc/loadavg", "2.50 2 2 1/1 1")),
    ("host.load", "failed", put("/proc/loadavg", "4.50 2 2 1/1 1")),
    ("host.disk", "failed", lambda tree: setattr(tree, "free", 10**7)),
    ("host.disk", "warning", lambda tree: setattr(tree, "free", 5 * 10**8)),
    ("host.rmem", "warning", put("/proc/sys/net/core/rmem_max", "212992")),
    ("host.endpoint", "failed", closed_port),
    ("host.endpoint", "failed", option(to="127.0.0.1:5570")),
    ("intel5300.card", "failed", no_cards),
    ("intel5300.module", "failed", drop("/sys/module/iwlwifi")),
    ("intel5300.firmware", "failed", drop("/lib/firmware")),
    ("intel5300.firmware", "failed", drop("/lib/firmware/iwlwifi-5000-2.ucode")),
    ("intel5300.firmware", "failed", both_firmwares),
    ("intel5300.connector_log", "failed", put(MASK, "0")),
    ("intel5300.connector_log", "failed", put(MASK, "0x4")),
    ("intel5300.connector_log", "warning", put(MASK, "5")),
    ("intel5300.connector_log", "failed", drop(MASK)),
    ("intel5300.connector", "failed", drop("/proc/net/connector")),
    ("intel5300.connector", "warning", put("/proc/net/netlink", listener(17))),
    ("intel5300.capability", "failed", put("/proc/self/status", "CapEff:\t0000000000002000\n")),
    ("intel5300.interface", "failed", put(STATE.format("wlan0"), "down")),
    ("intel5300.rates", "failed", tool("iw dev wlan0 link", "\ttx bitrate: 54.0 MBit/s\n")),
    ("intel5300.encryption", "failed", put("/sys/kernel/debug/ieee80211/phy0/keys/0/algorithm", "CCMP")),
    ("intel5300.traffic", "warning", rate(10)),
    ("intel5300.traffic", "failed", rate(0)),
    ("atheros.card", "failed", no_cards),
    ("atheros.module", "failed", drop("/sys/module/ath9k")),
    ("atheros.device", "failed", plain_file),
    ("atheros.device", "failed", drop("/dev/CSI_dev")),
    ("atheros.permission", "failed", option(uid=4711)),
    ("atheros.busy", "warning", held_by("/dev/CSI_dev", "77")),
    ("atheros.busy", "failed", held_by("/dev/CSI_dev", "77", "78")),
    ("atheros.interface", "failed", put(STATE.format("wlan1"), "dormant")),
    ("atheros.traffic", "failed", rate(0)),
    ("nexmon.card", "failed", no_cards),
    ("nexmon.module", "failed", drop("/sys/module/brcmfmac")),
    ("nexmon.firmware", "failed", put("/lib/firmware/brcm/brcmfmac43455-sdio.bin", "version 7.45.189")),
    ("nexmon.nexutil", "failed", drop("/usr/bin/nexutil")),
    ("nexmon.monitor", "warning", put(TYPE.format("wlan2"), "1")),
    ("nexmon.chanspec", "failed", tool("nexutil -k", "chanspec: 0x0000, 0\n")),
    ("nexmon.port", "failed", put("/proc/net/udp", bound("0100007F", 0))),
    ("nexmon.port", "warning", put("/proc/net/udp", bound("00000000", 12))),
    ("nexmon.rp_filter", "warning", put("/proc/sys/net/ipv4/conf/wlan2/rp_filter", "1")),
    ("nexmon.capability", "failed", put("/proc/self/status", "CapEff:\t0000000000001000\n")),
    ("nexmon.traffic", "failed", rate(0)),
    ("esp32.port", "failed", no_cards),
    ("esp32.port", "failed", drop("/sys/class/tty")),
    ("esp32.permission", "failed", option(uid=4711)),
    ("esp32.busy", "failed", held_by("/dev/ttyUSB0", "78")),
    ("esp32.baud", "failed", lambda tree: tree.serial(termios.B115200)),
]


def test_every_check_is_ok_on_a_healthy_host(tree: Tree) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        tree.options["to"] = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        found = look(tree)
    assert {name: each["status"] for name, each in found.items()} == dict.fromkeys(IDS, "ok")


def test_every_check_has_a_fault() -> None:
    assert {name for name, _, _ in FAULTS} == set(IDS)
    assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize(
    ("name", "status", "fault"), FAULTS, ids=[f"{f[0]}-{n}" for n, f in enumerate(FAULTS)]
)
def test_a_fault_is_found_and_said_what_to_do(
    name: str, status: str, fault: Callable[[Tree], None], tree: Tree
) -> None:
    fault(tree)
    found = look(tree)[name]
    assert (found["status"], bool(found["why"]), bool(found["do"])) == (status, True, True), found


def test_what_connector_log_logs_is_named(tree: Tree) -> None:
    tree.put(MASK, "4")
    assert look(tree)["intel5300.connector_log"]["found"] == "connector_log = 0x4: rx MPDU"


def test_a_group_may_read_the_device(tree: Tree) -> None:
    tree.at("/dev/CSI_dev").chmod(0o640)
    tree.options |= {"uid": 4711, "groups": [tree.at("/dev/CSI_dev").stat().st_gid]}
    assert look(tree)["atheros.permission"]["status"] == "ok"


@pytest.mark.parametrize("address", ["00000000", "FFFFFFFF"])
def test_a_port_bound_by_the_adapter_is_right(tree: Tree, address: str) -> None:
    tree.put("/proc/net/udp", bound(address, 0))
    assert look(tree)["nexmon.port"]["found"] == "bound, nothing lost"


def test_where_nothing_can_be_seen_nothing_is_ok(tmp_path: Path) -> None:
    host = Host(str(tmp_path), python=(3, 4), uid=0, groups=[], free=lambda path: 0)
    found = examine(host, NICS)
    assert {each["status"] for each in found} == {"warning", "failed", "unknown", "not_applicable"}
    assert all(each["found"] for each in found)


def test_an_unreadable_file_is_unknown_with_its_reason(tree: Tree) -> None:
    tree.drop("/proc/sys/net/core/rmem_max")
    tree.at("/proc/sys/net/core/rmem_max").mkdir()
    found = look(tree)["host.rmem"]
    assert found["status"] == "unknown"
    assert "rmem_max" in found["found"]


def test_processes_that_cannot_be_looked_into_are_unknown(tree: Tree) -> None:
    tree.link("/proc/78/fd", "fd")  # a loop: listing it fails
    assert look(tree)["atheros.busy"]["status"] == "unknown"


def test_tools_are_not_asked_about_another_root(tree: Tree) -> None:
    found = {each["id"]: each for each in examine(Host(str(tree.root), sleep=lambda s: None), NICS)}
    assert found["nexmon.chanspec"]["status"] == found["intel5300.rates"]["status"] == "unknown"


def test_udp_endpoints_are_unknown(tree: Tree) -> None:
    tree.options["to"] = "udp://127.0.0.1:5571"
    assert look(tree)["host.endpoint"]["status"] == "unknown"


def test_other_nics_are_not_applicable(tree: Tree) -> None:
    found = {each["id"]: each["status"] for each in examine(tree.host(), ["esp32"])}
    assert list(found) == IDS
    assert {found[name] for name in IDS if not name.startswith(("host.", "esp32."))} == {"not_applicable"}


def test_the_named_interface_is_looked_at(tree: Tree) -> None:
    tree.options["interface"] = "wlan9"
    assert look(tree)["intel5300.interface"]["status"] == "unknown"


def test_a_program_that_is_not_there_is_unknown() -> None:
    with pytest.raises(CannotLook, match="not installed"):
        run_tool(["no-such-program-anywhere"])
    with pytest.raises(CannotLook, match="fails"):
        run_tool(["false"])
    assert run_tool(["echo", "hello"]) == "hello\n"


@settings(deadline=None, max_examples=60)
@given(text=st.text(st.characters(max_codepoint=255), max_size=200), number=st.integers(0, 10**6))
def test_no_content_of_any_file_breaks_a_check(
    text: str, number: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tree = healthy(tmp_path_factory.mktemp("root"))
    files = sorted(path for path in tree.root.rglob("*") if path.is_file() and not path.is_symlink())
    files[number % len(files)].write_text(text, "latin-1")
    assert list(look(tree)) == IDS
    tree.close()


def run_alone(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-E", "-S", "-m", "roomtone_host", *words],
        cwd=BESIDE,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_runs_alone_beside_the_forwarder(tree: Tree) -> None:
    tree.put(MASK, "0")
    done = run_alone("--json", "--nic", "intel5300", "--root", str(tree.root))
    report = json.loads(done.stdout)
    assert [each["id"] for each in report["checks"]] == IDS
    assert (done.returncode, report["nics"]) == (1, ["intel5300"])
    assert report["failed"] == sum(each["status"] == "failed" for each in report["checks"]) >= 1


def test_it_tells_people_too_and_finds_the_cards_itself(tree: Tree) -> None:
    done = run_alone("--root", str(tree.root))
    assert re.search(
        r"^ok +host\.nic +intel5300: .*atheros: .*nexmon: .*esp32: ttyUSB0", done.stdout, re.MULTILINE
    )
    assert done.returncode == 1  # the counters of this tree stand still
    assert "do: make steady packets" in done.stdout


def test_the_real_machine_can_be_looked_at() -> None:
    found = {each["id"]: each["status"] for each in examine(Host(), [])}
    assert found["host.python"] == "ok"
    assert found["host.load"] in {"ok", "warning", "failed"}


def test_it_imports_nothing_but_itself_and_the_standard_library() -> None:
    names = set()
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(), feature_version=(3, 4))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level != 1:
                names.add("." * node.level + (node.module or ""))
    assert "argparse" in names
    assert names <= sys.stdlib_module_names


def test_it_is_python_3_4() -> None:
    vermin = Path(sys.executable).with_name("vermin")
    if not vermin.exists():
        pytest.skip("vermin is not installed")
    done = subprocess.run(
        [vermin, "--no-tips", "-t=3.4-", "--violations", *sorted(FOLDER.glob("*.py"))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
