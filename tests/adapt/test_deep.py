"""What each deep method adds is what it says: the term that defines it, and what it leaves alone."""

from dataclasses import replace
from math import log

import numpy as np
import pytest
import torch

from models.adapt import adapter, available, tier_of
from models.adapt.base import ELSEWHERE
from models.adapt.deep.aad import adapted, core_set, distil, held_back, right
from models.adapt.deep.adaploc import contrast
from models.adapt.deep.bdg import agreed, disagreement
from models.adapt.deep.conditional_adversary import conditioned, width_of
from models.adapt.deep.critic import Critic
from models.adapt.deep.encoder import Head, Net, descend, head_of, layers_of
from models.adapt.deep.lmmd import lmmd, shares
from models.adapt.deep.pada import prototypes, pull
from models.adapt.deep.self_training import believe
from models.adapt.deep.side_tuning import Beside
from models.adapt.deep.tensors import Tensors, tensors_of
from tests.adapt import made


@pytest.fixture
def data() -> Tensors:
    torch.manual_seed(0)
    return tensors_of(made.setting())


def features(rows: int = 30, width: int = 32, seed: int = 1) -> torch.Tensor:
    return torch.randn(rows, width, generator=torch.Generator().manual_seed(seed))


def test_rooms_are_seen_from_their_own_centre_and_a_missing_class_moves_none() -> None:
    whole = made.setting()
    assert whole.support is not None
    fewer = replace(whole, support=whole.support.take(whole.support.label != 2))
    apart = tensors_of(whole), tensors_of(fewer)
    for one in apart:
        rows = one.target[one.target_label == 0].mean(dim=0) - one.source[one.source_label == 0].mean(dim=0)
        assert rows.abs().mean() < 0.5
    assert (apart[0].standard[0] != apart[1].standard[0]).any()


def test_the_head_of_numpy_answers_as_the_network(data: Tensors) -> None:
    net, asked = Net(data), made.query().values
    mean, scale = data.standard
    seen = torch.from_numpy(((asked - mean) / scale).astype(np.float32))
    found = head_of(net.head, data, list(layers_of(net.encoder))).predict(asked)
    assert found == pytest.approx(net.head.posterior(net(seen)).detach().numpy(), abs=1e-4)


def test_lmmd_of_equal_distributions_is_nothing_and_of_swapped_classes_is_much() -> None:
    label = torch.arange(30) % 3
    values = features() + 3 * label[:, None]
    share = shares(label, 3)
    assert lmmd(values, share, values, share).item() == pytest.approx(0, abs=1e-5)
    assert lmmd(values, share, values, shares((label + 1) % 3, 3)).item() > 0.5
    assert lmmd(values, share, values, shares(torch.full((30,), ELSEWHERE), 3)).item() == 0


@pytest.mark.parametrize("condition", ["none", "posterior", "outer_product"])
def test_the_adversary_reverses_the_gradient_and_looks_at_classes_as_asked(condition: str) -> None:
    torch.manual_seed(0)
    hidden = features().requires_grad_()
    posterior = features(width=4).softmax(dim=1).requires_grad_()
    seen = conditioned(condition, hidden, posterior)  # type: ignore[arg-type]
    assert seen.shape == (30, width_of(condition, 4))  # type: ignore[arg-type]
    room, critic = torch.arange(30) % 2, Critic(seen.shape[1], 2)
    wanted = torch.autograd.grad(critic.loss(seen, room), hidden, retain_graph=True)[0]
    turned = torch.autograd.grad(critic.fooled(seen, room), hidden, retain_graph=True)[0]
    assert torch.equal(turned, -wanted)
    assert torch.autograd.grad(critic.fooled(seen, room), posterior, allow_unused=True)[0] is None


def test_a_critic_learns_rooms_that_differ_and_changes_no_features() -> None:
    torch.manual_seed(0)
    room = torch.arange(60) % 2
    seen = (features(60) + room[:, None]).requires_grad_()
    critic = Critic(32, 2)
    for _ in range(40):
        critic.teach(seen, room, 0.0)
    assert critic.loss(seen, room).item() < log(2) / 3
    assert seen.grad is None


def test_aad_keeps_what_it_says_of_old_rooms_within_a_point(data: Tensors) -> None:
    old = Net(data)
    descend(old.parameters(), data, old.supervised)
    net = adapted(old, data, progress=lambda _share: None)
    before, after = (one.head.posterior(one(data.source)).argmax(dim=1) for one in (old, net))
    right = [float((one == data.source_label).float().mean()) for one in (before, after)]
    assert right[1] >= right[0] - 0.01
    assert any((a != b).any() for a, b in zip(old.parameters(), net.parameters(), strict=True))
    assert torch.equal(old.head.bias, net.head.bias)


def test_aad_goes_back_to_what_it_was_where_an_old_room_would_lose_too_much(data: Tensors) -> None:
    old, worse = Net(data), Net(data)
    descend(old.parameters(), data, old.supervised)
    assert (right(old, data) - right(worse, data)).max() > 0.2
    net = held_back(old, worse, data)
    assert (right(old, data) - right(net, data)).max() <= 0.01
    nobody = replace(data, source_label=torch.full_like(data.source_label, ELSEWHERE))
    unheld = held_back(old, worse, nobody)
    assert all(torch.equal(a, b) for a, b in zip(unheld.parameters(), worse.parameters(), strict=True))


@pytest.mark.parametrize("ordered", [False, True])
def test_distillation_is_nothing_where_answers_are_the_same(ordered: bool) -> None:
    head = Head(32, 4, ordered=ordered)
    logits = head(features())
    assert distil(head, logits, logits).item() == pytest.approx(0, abs=1e-3)
    assert distil(head, logits + features(width=logits.shape[1]), logits).item() > 0.01


def test_a_core_set_holds_every_class_of_every_old_room(data: Tensors) -> None:
    chosen = core_set(data, 30)
    assert len(chosen) == len(torch.unique(chosen)) == 30
    groups = data.source_room[chosen] * 3 + data.source_label[chosen]
    assert torch.bincount(groups).tolist() == [5] * 6


def test_pada_pulls_rows_to_the_prototype_of_their_class_only_when_sure() -> None:
    label = torch.arange(30) % 3
    centres, there = prototypes(features() / 9 + 2 * label[:, None], label, 4)
    assert there.tolist() == [True, True, True, False]
    nobody = torch.full((3,), ELSEWHERE)
    assert pull(centres[:3], nobody, centres, there).item() == pytest.approx(0, abs=1e-6)
    wrong = pull(centres[:3], torch.tensor([1, 2, 0]), centres, there)
    assert wrong.item() > 1
    between = ((centres[0] + centres[1]) / 2)[None]
    assert pull(between, nobody[:1], centres, there).item() == 0


def test_ccsa_is_nothing_for_pairs_in_place_and_counts_want_more_room() -> None:
    label = torch.arange(4)
    apart = torch.eye(4) * 10
    assert contrast(apart, label, apart, label, ordered=False).item() == pytest.approx(0, abs=1e-6)
    assert contrast(apart, label, apart.roll(1, 0), label, ordered=False).item() > 10
    near = torch.arange(4)[:, None].float() * 0.9
    plain, counts = (contrast(near, label, near, label, ordered=one).item() for one in (False, True))
    assert counts > plain > 0


def test_classifiers_of_bdg_label_only_what_both_are_sure_of() -> None:
    first = torch.tensor([[0.95, 0.05], [0.95, 0.05], [0.6, 0.4], [0.95, 0.05]])
    second = torch.tensor([[0.92, 0.08], [0.05, 0.95], [0.6, 0.4], [0.95, 0.05]])
    given = torch.tensor([ELSEWHERE, ELSEWHERE, ELSEWHERE, 1])
    assert agreed(first, second, given).tolist() == [0, ELSEWHERE, ELSEWHERE, 1]
    assert disagreement(first, first).item() == 0
    assert disagreement(first, second).item() > 0.2


def test_self_training_believes_the_surest_of_each_class_and_changes_no_label() -> None:
    posterior = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.45, 0.55], [0.99, 0.01]])
    label = torch.tensor([ELSEWHERE, ELSEWHERE, ELSEWHERE, ELSEWHERE, 1])
    assert believe(posterior, label, 0.5).tolist() == [0, ELSEWHERE, 1, ELSEWHERE, 1]
    assert believe(posterior, label, 0.0).tolist() == label.tolist()


def test_a_side_network_starts_as_the_base_and_its_share_is_learned(data: Tensors) -> None:
    beside = Beside(data)
    beside.start()
    seen = data.source
    assert ((beside.side(seen) - seen) ** 2).mean() < 0.3 * (seen**2).mean()
    assert beside.mix == 0.5
    beside.tune()
    assert 0 < beside.mix < 1
    assert beside.mix != 0.5


def test_a_tiny_support_hardly_moves_the_base() -> None:
    whole = made.setting(shift=0.0)
    assert whole.support is not None
    first = np.array([0, 6])
    poisoned = replace(whole.support.take(first), label=np.array([1, 0]))
    head = adapter("side_tuning").adapt(replace(whole, support=poisoned), 0)
    asked = made.query(shift=0.0)
    assert (head.predict(asked.values).argmax(axis=1) == asked.label).mean() > 0.7


@pytest.mark.parametrize("name", [name for name in available() if tier_of(name) == "deep"])
def test_old_rooms_without_a_class_of_the_room_still_lend_their_rows(name: str) -> None:
    whole = made.setting(each=12)
    other = replace(whole.source, label=np.full(len(whole.source), ELSEWHERE))
    head, asked = adapter(name).adapt(replace(whole, source=other), 0), made.query()
    assert (head.predict(asked.values).argmax(axis=1) == asked.label).mean() > 0.6
