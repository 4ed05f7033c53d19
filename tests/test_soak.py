"""The soak's judgement: noise and spikes are flat, a slow leak is not."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.soak import Mix, Samples, growth


def samples(leak_mib: float) -> Samples:
    """300 samples of 400 MiB with noise and spikes, to which the run adds `leak_mib` in a line."""
    chance = np.random.default_rng(1)
    level = 400 + chance.normal(0, 15, 300) + np.linspace(0, leak_mib, 300)
    level[::37] += 200
    return Samples(requests=list(range(10, 3010, 10)), worker_mib=level.tolist())


@pytest.mark.parametrize(("leak_mib", "grows"), [(0, False), (20, False), (150, True), (-100, False)])
def test_a_leak_is_told_from_noise(leak_mib: float, grows: bool) -> None:
    assert growth(samples(leak_mib), "worker_mib")[3] is grows


def test_the_mix_is_the_same_each_time_and_has_every_kind() -> None:
    drawn = [[Mix(3, ["compact"]).next() for _ in range(1)] for _ in range(2)]
    assert drawn[0] == drawn[1]
    mix = Mix(3, ["compact"])
    kinds = {(path, allowed) for path, _, allowed in (mix.next() for _ in range(200))}
    assert {path for path, _ in kinds} == {"/api/parse", "/api/parse/batch", "/api/jobs", "/upload"}
    assert {(200, 400, 415), (422,), (400,), (200,)} <= {allowed for _, allowed in kinds}
