"""People who follow a script: what they may do after what, where their bodies are, and who knows of it."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from drivers.simulate.activity import Activity
from drivers.simulate.capture import Labels
from drivers.simulate.carried import Carried, Material
from drivers.simulate.cast import Role
from drivers.simulate.envelope import Envelope
from drivers.simulate.gate import gate_scene
from drivers.simulate.occupancy import occupancy
from drivers.simulate.people import Body
from drivers.simulate.plot import EPISODES, random_script
from drivers.simulate.random_scene import random_scene
from drivers.simulate.scene import Scene
from drivers.simulate.schedule import Schedule, constant
from drivers.simulate.script import Act, Script
from drivers.simulate.simulation import Simulation, simulate

DAY = (
    "6s:walking,4s:standing,3s:sit_down,6s:sitting,3s:stand_up,5s:waving,6s:strolling,"
    "2s:falling,6s:lying,5s:stand_up,8s:walking,6s:vacant,6s:walking"
)
STEP_S = 0.02


def acted(text: str, seed: int = 2) -> tuple[Scene, Script]:
    script = Script.parse(text)
    scene = random_scene(seed, constant(0, script.leave_s))
    return replace(scene, fans=(), drift_rad=0.0, cast=(Role(script),)), script


def body_of(text: str, seed: int = 2) -> tuple[np.ndarray, Body]:
    """The first stay, every 20 ms."""
    scene, script = acted(text, seed)
    times = np.arange(0, script.stays()[0].leave_s, STEP_S)
    return times, Simulation(scene)._persons[0].at(times)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("5s:walking,5s:sitting", "sitting at 5 s begins seated, but walking ends upright"),
        ("5s:sitting,5s:falling", "begins upright, but sitting ends seated"),
        ("5s:lying,2s:stand_up", "gets up from the floor"),
        ("5s:standing,5s:vacant", "come and go on foot, not standing"),
        ("5s:vacant,5s:sitting", "come and go on foot, not sitting"),
        ("0.5s:falling", "too short"),
        ("5s:flying", "'flying' is no activity; there are: vacant, walking"),
        ("walking", "'walking' is not an act"),
        ("x:walking", "is not an act"),
        ("", "is not an act"),
    ],
)
def test_scripts_that_no_body_can_follow_are_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Script.parse(text)


def test_scripts_have_no_gaps() -> None:
    with pytest.raises(ValueError, match="not where"):
        Script((Act(0, 2, Activity.WALKING), Act(3, 5, Activity.WALKING)))


def test_a_script_falls_into_stays_and_joins_equal_acts() -> None:
    script = Script.parse("2s:walking,2s:walking,3s:vacant,1m:strolling")
    assert [(stay.enter_s, stay.leave_s) for stay in script.stays()] == [(0, 4), (7, 67)]
    assert [act.to_s for act in script.merged()] == [4, 7, 67]


def test_envelopes_ramp_inside_the_livelier_act_and_integrate() -> None:
    script = Script.parse("2s:standing,3s:walking,4s:standing")
    envelope = Envelope(script.acts, [0.0, 1.0, 0.0], ramp_s=0.5)
    np.testing.assert_allclose(envelope.at(np.array([1.9, 2.25, 3.0, 4.75, 5.1])), [0, 0.5, 1, 0.5, 0])
    times = np.linspace(0, 12, 5001)
    summed = np.concatenate([[0], np.cumsum(envelope.at(times)[:-1] * np.diff(times))])
    np.testing.assert_allclose(envelope.integral(times), summed, atol=2e-3)
    assert envelope.total == pytest.approx(2.5)


def test_every_activity_moves_the_body_as_it_should() -> None:
    times, body = body_of(DAY)
    speed = np.linalg.norm(np.gradient(body.points, STEP_S, axis=0), axis=-1)

    def during(name: str, margin: float = 0.0) -> np.ndarray:
        act = next(act for act in Script.parse(DAY).acts if act.activity == name)
        return (times > act.from_s + margin) & (times < act.to_s - margin)

    chest, hand = speed[:, 0], speed[:, 1]
    assert 0.7 < np.median(chest[during("walking", 1)]) < 1.5
    assert 0.2 < np.median(chest[during("strolling", 1)]) < 0.7
    assert np.median(chest[during("standing")]) < 0.1
    assert chest[during("sitting")].max() < 0.02
    assert speed[during("sitting"), 1:].max() < 1e-6
    assert np.median(hand[during("waving", 0.5)]) > 1
    assert np.median(chest[during("waving", 0.5)]) < 0.1
    low = body.points[during("sitting"), 0, 2].mean() / body.points[during("standing"), 0, 2].mean()
    assert 0.5 < low < 0.75
    assert body.points[during("lying")][..., 2].max() < 0.25
    assert body.points[during("waving", 0.5), 1, 2].min() > body.points[during("waving"), 0, 2].max()


@pytest.mark.parametrize("seed", range(6))
def test_falls_take_half_a_second_to_one_and_end_low(seed: int) -> None:
    times, body = body_of("3s:walking,2s:falling,4s:lying", seed)
    chest = body.points[:, 0, 2]
    top, floor = chest[times < 3].mean(), chest[times > 6].mean()
    assert top > 1.1
    assert floor < 0.2
    falls = times[(chest < floor + 0.98 * (top - floor)) & (chest > floor + 0.02 * (top - floor))]
    assert 0.4 < falls[-1] - falls[0] < 1.0
    fastest = -np.gradient(chest, STEP_S).min()
    assert 1.7 < fastest < np.sqrt(2 * 9.81 * top)  # faster than lying down, slower than a stone
    scene, _ = acted("3s:walking,2s:falling,4s:lying", seed)
    assert scene.link.room.contains(body.points).all()


def test_bodies_move_smoothly_through_the_whole_script() -> None:
    for seed in range(4):
        _, body = body_of(DAY, seed)
        speed = np.linalg.norm(np.diff(body.points, axis=0), axis=-1) / STEP_S
        assert speed.max() < 6


def test_the_channel_of_an_actor_does_not_depend_on_chunks() -> None:
    scene, script = acted(DAY)
    times = np.arange(0, script.leave_s, 0.1)
    whole, _ = Simulation(scene).channel(times)
    running = Simulation(scene)
    pieces = np.concatenate([running.channel(part)[0] for part in np.array_split(times, 13)])
    np.testing.assert_allclose(whole, pieces, atol=2e-5 * np.abs(whole).max())


def test_the_same_person_comes_back_and_leaves_by_the_door() -> None:
    scene, _ = acted(DAY)
    first, again = Simulation(scene)._persons
    assert first.height_m == again.height_m
    assert (first.strength == again.strength).all()
    last = first.at(np.array([first.way.leave_s - 0.01])).torso[0, :2]
    assert np.hypot(*(last - scene.door)) < 0.4


def test_chunks_and_labels_say_who_is_there_and_what_they_do() -> None:
    scene, script = acted("4s:walking,4s:vacant,4s:walking")
    scene = replace(scene, schedule=Schedule(((6.0, 0), (6.0, 1))))
    assert occupancy(scene) == [(0, 4, 1), (4, 6, 0), (6, 8, 1), (8, 12, 2)]
    labels, counted = Labels(), []
    for chunk in simulate(scene):
        labels.add(chunk)
        counted.append((chunk.times, chunk.people))
    times, people = (np.concatenate(part) for part in zip(*counted, strict=True))
    planned = [next(n for start, end, n in occupancy(scene) if start <= at < end) for at in times.tolist()]
    assert (people == planned).mean() > 0.98
    document = labels.document(scene)
    assert [act["activity"] for act in document["activities"]] == ["walking", "vacant", "walking"]
    assert [span["people"] for span in document["people"]] == [1, 0, 1, 2]
    assert len(script.stays()) == 2


@pytest.mark.parametrize("seed", range(4))
def test_random_scripts_hold_every_episode(seed: int) -> None:
    script = random_script(np.random.default_rng(seed), 60.0)
    assert script.leave_s >= 60
    assert {act.activity for act in script.acts} == set(Activity)
    few = random_script(np.random.default_rng(seed), 60.0, ("sitting", "waving"))
    assert {str(act.activity) for act in few.acts} == {"sit_down", "sitting", "stand_up", "waving"}


def test_unknown_episodes_are_named() -> None:
    with pytest.raises(ValueError, match=r"'flying' is no episode; there are: walking"):
        random_script(np.random.default_rng(0), 60.0, ("flying",))
    assert "falling" in EPISODES


def test_walkers_cross_the_link_of_a_gate_alone() -> None:
    scene, walks = gate_scene(4, ["none", "metal", "liquid", Carried(Material.METAL, 0.1, 0.1)])
    assert [walk.label for walk in walks] == ["none", "metal", "liquid", "metal"]
    ends = scene.link.transmitter.centre, scene.link.receiver.centre
    line = ends[1][:2] - ends[0][:2]

    def side(place: np.ndarray) -> float:
        offset = place - ends[0][:2]
        return float((line[0] * offset[1] - line[1] * offset[0]) / np.hypot(*line))

    persons = Simulation(scene)._persons
    for walk, person in zip(walks, persons, strict=True):
        place = person.at(np.array([walk.from_s, walk.to_s])).torso[:, :2]
        assert side(place[0]) * side(place[1]) < 0
        assert min(abs(side(place[0])), abs(side(place[1]))) > 1.2
    for before, after in pairwise(walks):
        assert after.from_s - before.to_s >= 3
    assert [count for _, _, count in occupancy(scene)] == [0, 1] * 4 + [0]


def test_things_of_random_size_grow_with_their_scale() -> None:
    sizes = [[walk.carried for walk in gate_scene(4, ["metal", "liquid"], scale=k)[1]] for k in (1.0, 2.0)]
    for small, large in zip(*sizes, strict=True):
        assert large == replace(small, width_m=2 * small.width_m, height_m=2 * small.height_m)


def test_nobody_vanishes_from_a_chair() -> None:
    scene = random_scene(2, constant(0, 9.0))
    with pytest.raises(ValueError, match="person 3 ends sitting at 5 s, the scene at 9 s"):
        replace(scene, cast=(Role(Script.parse("5s:sitting"), person=3),))


def test_impossible_gates_things_and_tours_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one walk"):
        gate_scene(1, [])
    with pytest.raises(ValueError, match="'gold' cannot be carried"):
        gate_scene(1, ["gold"])
    with pytest.raises(ValueError, match="outside"):
        Carried(Material.METAL, 9, 9)
    with pytest.raises(ValueError, match="no place to carry"):
        Carried(Material.METAL, place="nose")
    with pytest.raises(ValueError, match="3 stops need 2 walks"):
        Role(Script.parse("5s:walking"), stops=((1, 1), (2, 2), (3, 3)))
