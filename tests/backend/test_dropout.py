"""Quick dropout: its rate and scale, the generator it draws from, and which layers it touches."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nlu_arena.backend.dropout import draw_kept, drop, keep_rate, quick_dropout


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_values_are_dropped_at_the_rate_and_the_mean_stays(rate: float) -> None:
    torch.manual_seed(1)
    kept = draw_kept((300, 401), rate)
    assert float(kept.float().mean()) == pytest.approx(1 - rate, abs=5e-3)
    values = drop(torch.ones(300, 401), rate)
    assert values.unique().tolist() == pytest.approx([0.0, 1 / keep_rate(rate)])
    assert float(values.mean()) == pytest.approx(1.0, abs=1e-2)
    # Neither neighbours nor rows repeat each other.
    assert float((kept[:, 1:] & kept[:, :-1]).float().mean()) == pytest.approx((1 - rate) ** 2, abs=1e-2)
    assert float((kept[1:] & kept[:-1]).float().mean()) == pytest.approx((1 - rate) ** 2, abs=1e-2)


def test_a_generator_set_back_gives_the_same_mask_and_the_next_draw_another() -> None:
    state = torch.get_rng_state()
    first, second = draw_kept((7, 5), 0.5), draw_kept((7, 5), 0.5)
    torch.set_rng_state(state)
    assert torch.equal(draw_kept((7, 5), 0.5), first)
    assert not torch.equal(first, second)


def test_only_plain_layers_that_train_are_replaced_and_all_are_given_back() -> None:
    class Own(nn.Dropout):
        pass

    model = nn.Sequential(nn.Dropout(0.5), nn.Dropout(0.0), Own(0.5)).train()
    with quick_dropout(model):
        assert ["forward" in vars(layer) for layer in model] == [True, False, False]
    assert not any("forward" in vars(layer) for layer in model)
    values = torch.ones(8)
    with quick_dropout(model.eval()):
        assert torch.equal(model(values), values)


def test_the_gradient_passes_where_values_were_kept() -> None:
    values = torch.ones(1000, requires_grad=True)
    out = drop(values, 0.3)
    out.sum().backward()
    assert values.grad is not None and torch.equal(values.grad, out.detach())
