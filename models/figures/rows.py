"""The questions behind docs/accuracy.md, with what simple methods reach and what we aim at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan

CROWD = "crowd_rooms_5300"
WICAL = "wical_counting_esp"
HAR = "har_two_rooms_5300"
DFL = "dfl_fingerprints_4links"
DAYS = "device_loc_27days_5300"
METRIC = "device_loc_metric_nexmon"
ESP32 = "presence_esp32"
BOX = "box_object_nexmon"
SIMULATION = "simulation"
"""No folder: simulated rooms (`models.data.simulated`)."""

LICENCES: Mapping[str, str] = {
    CROWD: "GPL-3.0 repository, non-commercial research with acknowledgement (Di Domenico et al., WPA 2016, "
    "WiMob 2016)",
    WICAL: "no licence stated (Choi et al., IEEE Access 2022): figures only, no weights",
    HAR: "no licence stated (Hu et al., MSN 2024): figures only, no weights",
    DFL: "no licence stated (Chen, Chang, Poor, ICC 2023): figures only, no weights",
    DAYS: "MIT (Reyes, Ho, Mak, ESWA 2024)",
    METRIC: "no licence stated (Gao et al., IEEE IoT-J 2020): figures only, no weights",
    ESP32: "no licence stated (Fauzan-Azh, Deteksi Biner Keberadaan Manusia, 2026): figures only, no weights",
    BOX: "no licence stated (Behzad, Mordad, Zandi, Siami, 2025): figures only, no weights",
    SIMULATION: "made by `drivers/simulate`, Apache-2.0; *trained on simulation and judged on simulation*, "
    "in rooms or on days that training did not see",
}


@dataclass(frozen=True, slots=True)
class Aim:
    """A figure to reach: at least, or with `most` at most, this."""

    value: float
    most: bool = False

    def reached(self, figure: float) -> bool:
        """Whether the figure is as good."""
        return figure <= self.value if self.most else figure >= self.value

    def __str__(self) -> str:
        return "-" if isnan(self.value) else f"{'≤' if self.most else '≥'} {self.value:g}"


NO_AIM = Aim(float("nan"))
"""A figure that is told, with nothing it should reach."""


@dataclass(frozen=True, slots=True)
class Row:
    """One question. `words` are those of `roomtone evaluate`, less task and data set."""

    name: str
    section: str
    title: str
    task: str
    data: str
    words: tuple[str, ...]
    aims: Mapping[str, Aim]
    reference: Mapping[str, str] = field(default_factory=dict)

    def command(self, shared: str = "../shared/datasets") -> str:
        """The command that prints it."""
        data = self.data if self.data == SIMULATION else f"{shared}/{self.data}"
        return " ".join(["roomtone evaluate", self.task, "--data", data, *self.words])


def _pair(source: str, target: str, *more: str) -> tuple[str, ...]:
    return ("--source", source, "--target", target, *more)


def _counting(way: str, source: str, target: str, aims: tuple[float, float]) -> Row:
    return Row(
        f"counting-{way}",
        "Counting in a room never seen",
        f"{source} → {target}, one 4 s window",
        "counting",
        CROWD,
        _pair(source, target),
        {"accuracy": Aim(aims[0]), "mae": Aim(aims[1], most=True)},
        {"accuracy": "0.37" if way == "ab" else "0.23", "mae": "0.77" if way == "ab" else "1.56"},
    )


def _long(way: str, source: str, target: str, aims: tuple[float, float]) -> Row:
    return Row(
        f"counting-{way}-8s",
        "Counting in a room never seen",
        f"{source} → {target}, unlabelled target windows, 8 s",
        "counting",
        CROWD,
        _pair(source, target, "--transductive", "--decision", "8s"),
        {"accuracy": Aim(aims[0]), "mae": Aim(aims[1], most=True)},
    )


def _presence(way: str, source: str, target: str) -> Row:
    return Row(
        f"presence-{way}",
        "Presence in a room never seen",
        f"{source} → {target}",
        "presence",
        CROWD,
        _pair(source, target),
        {"balanced_accuracy": Aim(0.99), "ece": Aim(0.05, most=True)},
        {"balanced_accuracy": "1.00"},
    )


def _wical(room: str, reference: tuple[str, str]) -> Row:
    return Row(
        f"wical-counting-{room}",
        "Counting on another day (Wi-CaL)",
        f"{room} room, session 1 → 2",
        "counting",
        WICAL,
        _pair(f"{room}_room_sess1", f"{room}_room_sess2"),
        {"accuracy": Aim(0.60), "mae": Aim(0.60, most=True)},
        {"accuracy": reference[0], "mae": reference[1]},
    )


def _section(room: str, reference: str, aim: float) -> Row:
    return Row(
        f"wical-section-{room}",
        "Section of the crowd on another day (Wi-CaL)",
        f"{room} room, session 1 → 2",
        "localization",
        WICAL,
        _pair(f"{room}_room_sess1", f"{room}_room_sess2"),
        {"accuracy": Aim(aim)},
        {"accuracy": reference},
    )


FEW = "A few labels of the new room"
"""Section of rows with support; docs/adaptation.md holds every method on them (`models.figures.compare`)."""


def _few_counting(source: str, target: str, span: str, aims: Mapping[str, Aim], reference: str) -> Row:
    return Row(
        f"few-counting-{source[-1].lower()}{target[-1].lower()}-{span}",
        FEW,
        f"counting, {source} → {target}, 20 s of each count, decisions of {span}",
        "counting",
        CROWD,
        _pair(source, target, "--support", f"{target}:20s", "--decision", span),
        aims,
        {"accuracy": reference},
    )


def _few(name: str, title: str, data: str, words: tuple[str, ...], *, aim: Aim, reference: str = "") -> Row:
    """`reference` is what is learned from the labelled rows alone, where nothing else is said."""
    task = {HAR: "activity", WICAL: "counting"}.get(data, "localization")
    refer = {"accuracy": reference} if reference else {}
    return Row(f"few-{name}", FEW, title, task, data, words, {"accuracy": aim}, refer)


def _few_places(rows: int, aim: float, reference: str) -> Row:
    lent = ("--support", f"EXP3-r1_sub1:{rows}")
    return _few(
        f"dfl-exp3-{rows}",
        f"18 points of another site, {rows} rows a point (mean of ten draws)",
        DFL,
        _pair("EXP1_sub2,EXP2_sub1,EXP2_sub2", "EXP3-r1_sub2", *lent),
        aim=Aim(aim),
        reference=reference,
    )


def _few_hard_places(rows: int, aim: float, reference: str) -> Row:
    """The aim is 8 points over what is learned from the labelled rows alone."""
    lent = ("--support", f"EXP2_sub2:{rows}")
    return _few(
        f"dfl-exp2-{rows}",
        f"14 points of another site, {rows} rows a point (mean of ten draws)",
        DFL,
        _pair("EXP1_sub2,EXP3-r1_sub1,EXP3-r1_sub2", "EXP2_sub1", *lent),
        aim=Aim(aim),
        reference=reference,
    )


def _few_days(days: str, aim: float, *more: str) -> Row:
    """Both days with one head, as the question has it, or a day by itself."""
    lent = ("--support", ",".join(f"{day}:1" for day in days.split(",")), *more)
    also = ", unlabelled packets" if more else ""
    return _few(
        f"days-{days.replace(',', '-')}{'-transductive' if more else ''}",
        f"8 points, d02-d12 → later periods of {days}, a packet a point of each day{also}",
        DAYS,
        _pair("d02..d12", days, *lent),
        aim=Aim(aim),
        reference="about 0.95" if "," in days else "",
    )


def _few_clips(clips: int, aim: float) -> Row:
    lent = ",".join(f"{domain}:{clips}" for domain in _BEDROOM.split(","))
    return _few(
        f"har-{clips}",
        f"11 activities, meeting room → bedroom, {clips} clips a class and person (an upper bound: "
        "the static profile tells them too)",
        HAR,
        _pair(_MEETING, _BEDROOM, "--support", lent),
        aim=Aim(aim),
        reference="0.61-0.63 without labels",
    )


def _few_heads(aim: float) -> Row:
    """The aim is 5 points over the better of target-only and naive pooling."""
    lent = ("--support", "small_room_sess2:10", "--classes", "0,1,2,3,4,5")
    return _few(
        "wical",
        "counting 0-5 (Wi-CaL), medium → small room, 10 rows a count",
        WICAL,
        _pair("medium_room_sess1,medium_room_sess2", "small_room_sess2", *lent),
        aim=Aim(aim),
        reference="0.66 target-only, 0.61 pooled",
    )


def _carried(task: str, source: str, target: str) -> Row:
    return Row(
        f"carried-{task}-{target.lower()}",
        "How far models trained on simulation carry",
        f"{task} in {target}, shipped model `{task}-simulation` as it is",
        task,
        CROWD,
        _pair(source, target, "--learner", f"onnx:models/zoo/open/{task}-simulation"),
        {"balanced_accuracy" if task == "presence" else "mae": NO_AIM},
    )


_MEETING = ",".join(f"meetingroom_{name}" for name in ("Abid", "Hhj", "Zly", "Zxq"))
_BEDROOM = "bedroom_Abid,bedroom_Hhj"
_DAYS = ",".join(f"d{day:02d}" for day in range(2, 19))


def _activity(name: str, title: str, words: tuple[str, ...], aim: float, reference: str) -> Row:
    refer = {"accuracy": reference} if reference else {}
    return Row(name, "Activity, 11 classes", title, "activity", HAR, words, {"accuracy": Aim(aim)}, refer)


def _places(name: str, data: str, title: str, words: tuple[str, ...], *, aim: Aim, reference: str) -> Row:
    metric = "mean_m" if aim.most else "accuracy"
    return Row(name, "Localization", title, "localization", data, words, {metric: aim}, {metric: reference})


def _simulated(name: str, task: str, title: str, words: tuple[str, ...], metrics: tuple[str, ...]) -> Row:
    aims = dict.fromkeys(metrics, NO_AIM)
    return Row(
        f"simulated-{name}", "Simulated rooms that training did not see", title, task, SIMULATION, words, aims
    )


def _simulated_days(room: str) -> Row:
    return _simulated(
        f"places-{room}",
        "localization",
        f"{room}, cells of 2 m and nobody: 6 days → 2 others with other people and things moved a little",
        _pair(f"{room}-d0..{room}-d5", f"{room}-d6..{room}-d7"),
        ("accuracy", "macro_f1"),
    )


def _simulated_survey(room: str) -> Row:
    survey = ("--support", f"{room}-d0:8s", "--method", "target_only")
    return _simulated(
        f"places-{room}-new",
        "localization",
        f"{room}, never seen: learned from 8 s at each cell on one day → 3 other days",
        _pair("room04-d0..room04-d3", f"{room}-d0..{room}-d3", *survey),
        ("accuracy", "macro_f1"),
    )


_FEW_COUNTING = (
    _few_counting("RoomA", "RoomB", "4s", {"accuracy": Aim(0.55)}, "0.47"),
    _few_counting(
        "RoomA",
        "RoomB",
        "8s",
        {"accuracy": Aim(0.63), "within_1": Aim(0.93), "mae": Aim(0.55, most=True)},
        "0.48",
    ),
    _few_counting("RoomA", "RoomB", "15s", {"accuracy": Aim(0.72)}, "0.53"),
    _few_counting("RoomB", "RoomA", "4s", {"accuracy": Aim(0.55)}, "0.46"),
    _few_counting(
        "RoomB",
        "RoomA",
        "8s",
        {"accuracy": Aim(0.62), "within_1": Aim(0.90), "mae": Aim(0.60, most=True)},
        "0.50",
    ),
    _few_counting("RoomB", "RoomA", "15s", {"accuracy": Aim(0.70)}, "0.57"),
)

ROWS: tuple[Row, ...] = (
    _presence("ab", "RoomA", "RoomB"),
    _presence("ba", "RoomB", "RoomA"),
    _counting("ab", "RoomA", "RoomB", (0.42, 0.70)),
    _counting("ba", "RoomB", "RoomA", (0.38, 1.00)),
    _long("ab", "RoomA", "RoomB", (0.55, 0.60)),
    _long("ba", "RoomB", "RoomA", (0.55, 0.65)),
    *_FEW_COUNTING,
    *(_few_places(*one) for one in ((1, 0.70, "0.56"), (5, 0.91, "0.80-0.84"), (10, 0.95, "0.83-0.87"))),
    *(_few_hard_places(*one) for one in ((1, 0.35, "0.27"), (5, 0.53, "0.45"), (10, 0.58, "0.50"))),
    *(_few_days(day, 0.97) for day in ("d19,d20", "d19", "d20")),
    *(_few_days(day, 0.99, "--transductive") for day in ("d19,d20", "d19", "d20")),
    *(_few_clips(*one) for one in ((1, 0.80), (3, 0.88), (5, 0.91))),
    _few_heads(0.71),
    _carried("presence", "RoomB", "RoomA"),
    _carried("presence", "RoomA", "RoomB"),
    _carried("counting", "RoomB", "RoomA"),
    _carried("counting", "RoomA", "RoomB"),
    _wical("small", ("0.44", "1.08")),
    _wical("medium", ("0.48", "0.82")),
    _section("small", "0.905", 0.96),
    _section("medium", "0.936", 0.97),
    _activity(
        "har-rooms", "meeting room (4 persons) → bedroom", _pair(_MEETING, _BEDROOM), 0.75, "0.61-0.63"
    ),
    _activity(
        "har-rooms-transductive",
        "the same, unlabelled target clips",
        _pair(_MEETING, _BEDROOM, "--transductive"),
        0.80,
        "",
    ),
    _activity(
        "har-persons",
        "meeting room, one person left out",
        ("--source", _MEETING, "--leave-out", "person"),
        0.74,
        "about 0.60",
    ),
    _places(
        "dfl-exp2",
        DFL,
        "14 points, sub1 → sub2",
        _pair("EXP2_sub1", "EXP2_sub2"),
        aim=Aim(0.68),
        reference="0.47-0.59",
    ),
    _places(
        "dfl-exp3",
        DFL,
        "18 points, sub1 → sub2",
        _pair("EXP3-r1_sub1", "EXP3-r1_sub2"),
        aim=Aim(0.95),
        reference="0.88-0.91",
    ),
    _places(
        "days",
        DAYS,
        "8 points, d02-d18 → d19, d20",
        _pair(_DAYS, "d19,d20"),
        aim=Aim(0.96),
        reference="0.88-0.90",
    ),
    _places(
        "metric",
        METRIC,
        "metres, positions left out",
        ("--source", "research_laboratory", "--leave-out", "position"),
        aim=Aim(0.60, most=True),
        reference="0.65-0.70",
    ),
    Row(
        "presence-esp32",
        "Presence with an ESP32, weak data",
        "2 July in sight → 2 July and 7 July behind an obstacle, 12 s windows",
        "presence",
        ESP32,
        _pair("jul02_los_empty,jul02_los_occupied", "jul02_nlos_occupied,jul07_nlos_empty"),
        {"balanced_accuracy": NO_AIM},
    ),
    Row(
        "box-object",
        "A closed box, filled or empty: smoke test of the loader",
        "two circles → a third, 12 s windows",
        "suspicious_object",
        BOX,
        _pair("r070_v015,r100_v015", "r070_v020"),
        {"accuracy": NO_AIM},
    ),
    _simulated(
        "walks",
        "suspicious_object",
        "simulated walks, metal, liquid or none: 24 gates → 12 others, a window and a walk after voting",
        _pair("room00..room23", "room24..room35"),
        ("accuracy", "macro_f1", "walk_accuracy", "walk_macro_f1"),
    ),
    _simulated(
        "activity",
        "activity",
        "7 activities: 16 rooms → 8 others, 4 s windows",
        _pair("room00..room15", "room16..room23"),
        ("accuracy", "macro_f1"),
    ),
    *(_simulated_days(room) for room in ("room10", "room11", "room12")),
    *(_simulated_survey(room) for room in ("room10", "room11", "room12")),
)
