"""The soak's judgement: noise and spikes are flat, a slow leak is not."""

from __future__ import annotations

import httpx
import numpy as np
import pytest

from benchmarks.soak import run, visit
from benchmarks.soak_mix import Ask, Followers, Mix
from benchmarks.soak_samples import Samples, growth


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
    drawn = [[Mix(3, ["compact"], video=False).next() for _ in range(5)] for _ in range(2)]
    assert drawn[0] == drawn[1]
    mix = Mix(3, ["compact"])
    asked = [mix.next() for _ in range(400)]
    paths = {ask.path.partition("?")[0] for ask in asked}
    assert {"/api/parse", "/api/parse/batch", "/api/jobs", "/upload", "/api/results", "/api/recognize"} < paths
    assert {"/api/stylize", "/studio", "/metrics", "/docs"} < paths
    assert {ask.follow for ask in asked} == {"", "job", "job_later", "address", "files", "forget", "lines", "bad"}
    assert {"GET", "POST", "GONE"} == {ask.method for ask in asked}
    assert any(
        "video" in ask.arguments.get("files", {}) for ask in asked if isinstance(ask.arguments.get("files"), dict)
    )


def answer(status: int, body: object = None, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body or {}, headers=headers)


class Scripted(Mix):
    """One ask, again and again."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def next(self) -> Ask:
        return self._ask


@pytest.mark.parametrize(
    ("reply", "complaints"),
    [(answer(200), 0), (answer(503), 1), (answer(503, **{"Retry-After": "2"}), 0), (answer(500), 1), (answer(400), 1)],
)
def test_an_answer_that_nobody_should_get_is_told(reply: httpx.Response, complaints: int) -> None:
    with httpx.Client(transport=httpx.MockTransport(lambda _: reply), base_url="http://x") as client:
        wrong: list[str] = []
        assert visit(client, Scripted(Ask("POST", "/api/parse", {}, (200,))), Followers(), wrong) == reply.status_code
    assert len(wrong) == complaints


@pytest.mark.parametrize(
    ("state", "done", "complaints"), [("succeeded", 1, 0), ("succeeded", 0, 1), ("failed", 1, 1), ("cancelled", 0, 1)]
)
def test_a_job_that_does_not_end_well_is_told(state: str, done: int, complaints: int) -> None:
    job = {"id": "j", "state": state, "progress": {"done": done, "total": 1}, "problem": None}
    with httpx.Client(transport=httpx.MockTransport(lambda _: answer(200, job)), base_url="http://x") as client:
        followers = Followers()
        for follow in ("job", "job_later"):
            followers.follow(follow, client, answer(202, {"id": "j"}))
        followers.end(client)
    assert (followers.jobs, len(followers.told)) == (2, 2 * complaints)


def test_a_short_soak_of_a_real_service_is_as_promised() -> None:
    """Both parsers, two workers; whether memory grows cannot be seen in so short a run."""
    seen = run(30, 0, 4, {}, workers=2, m2fp=True)
    assert seen.wrong == []
    assert sum(seen.statuses.values()) == 30
    assert len(seen.samples.all_mib) > 3
