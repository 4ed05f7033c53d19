"""The client against the served app, and against answers that the app gives rarely."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from humanparse import client as client_module
from humanparse.client import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    ApiError,
    AsyncClient,
    Client,
    ClientError,
    NotYet,
    Result,
    Unreachable,
    _pauses,
)
from humanparse.labels import CLASSES

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def portrait(astronaut: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "astronaut.jpg"
    cv2.imwrite(str(path), astronaut[..., ::-1])
    return path


@pytest.fixture
def client(address: str) -> Iterator[Client]:
    with Client(address) as made:
        yield made


def test_a_path_bytes_and_an_open_file_give_the_same(client: Client, portrait: Path) -> None:
    with portrait.open("rb") as file:
        results = [client.parse(photo) for photo in (str(portrait), portrait, portrait.read_bytes(), file)]
    first = results[0]
    assert all(result.people == first.people for result in results)
    assert (first.width, first.height, first.parser) == (512, 512, "compact")
    assert first.num_persons == len(first.people) == first.raw["num_persons"] >= 1
    assert {"Face", "Hair"} <= set(first.parts_detected)
    assert first.overlay is not None
    assert Image.open(BytesIO(first.overlay)).size == (512, 512)
    assert first.label_map is first.people_map is first.people[0].parts[0].rle is None


def test_options_reach_the_service(client: Client, portrait: Path) -> None:
    include = ["label_map", "people_map", "masks", "rle", "polygons"]
    result = client.parse(portrait, include=include, overlay="none", outline=False, alpha=0.3, palette="voc")
    assert result.overlay is None
    assert result.label_map is not None
    assert result.people_map is not None
    labels = np.asarray(Image.open(BytesIO(result.label_map)))
    people = np.asarray(Image.open(BytesIO(result.people_map)))
    for person in result.people:
        assert (people == person.id).sum() == person.area
        for part in person.parts:
            assert part.mask is not None
            inside = np.asarray(Image.open(BytesIO(part.mask))) == 255
            assert np.array_equal(inside, (people == person.id) & (labels == part.id))
            assert part.rle is not None
            assert part.polygons


def test_other_formats_are_files(client: Client, portrait: Path) -> None:
    assert Image.open(BytesIO(client.parse_as("webp", portrait))).format == "WEBP"
    assert zipfile.is_zipfile(BytesIO(client.parse_as("masks", portrait)))


def test_many_come_back_in_order_and_fail_alone(client: Client, portrait: Path) -> None:
    items = client.parse_many([portrait, b"no photo", portrait], overlay="none")
    assert [(item.index, item.file) for item in items] == [(0, "astronaut.jpg"), (1, "image"), (2, "astronaut.jpg")]
    assert [item.result is None for item in items] == [False, True, False]
    assert items[1].error is not None
    assert items[1].error.code == "unsupported_format"
    assert items[0].result is not None and items[2].result is not None
    assert items[0].result.people == items[2].result.people


def test_labels_and_readiness(client: Client) -> None:
    assert [(label.id, label.name, label.colour) for label in client.labels()] == [
        (c.id, c.name, c.colour) for c in CLASSES
    ]
    assert client.ready()


def test_a_problem_is_an_exception_that_knows_it(client: Client, portrait: Path) -> None:
    with pytest.raises(ApiError, match="422 invalid_option") as caught:
        client.parse(portrait, alpha=2)
    error = caught.value
    assert (error.status, error.code, error.retry_after_s) == (422, "invalid_option", None)
    assert error.problem["option"] == "alpha"
    with pytest.raises(ApiError, match="unsupported_format"):
        client.parse(b"no photo")


def test_the_async_client_says_the_same(address: str, client: Client, portrait: Path) -> None:
    async def visit() -> None:
        async with AsyncClient(address) as visitor:
            assert await visitor.ready()
            assert await visitor.labels() == client.labels()
            one, other = await asyncio.gather(visitor.parse(portrait), visitor.parse(portrait))
            assert one.people == other.people == client.parse(portrait).people
            assert await visitor.parse_as("coco", portrait) == client.parse_as("coco", portrait)
            items = await visitor.parse_many([portrait, b"no photo"])
            assert [item.result is None for item in items] == [False, True]
            with pytest.raises(ApiError):
                await visitor.parse(b"no photo")

    asyncio.run(visit())


def test_a_job_is_handed_in_waited_for_and_fetched(client: Client, portrait: Path) -> None:
    job = client.submit(portrait, overlay="none")
    assert (job.kind, job.format, job.total) == ("parse", "json", 1)
    ended = client.wait(job)
    assert (ended.state, ended.ended, ended.done, ended.place) == ("succeeded", True, 1, None)
    result = client.result(ended)
    assert isinstance(result, Result)
    assert result.people == client.parse(portrait).people
    several = client.wait(client.submit_many([portrait, b"no photo"], overlay="none").id)
    items = client.result(several.id)
    assert isinstance(items, list)
    assert [item.error is None for item in items] == [True, False]
    coco = client.wait(client.submit(portrait, format="coco"))
    assert client.result(coco) == client.parse_as("coco", portrait)
    client.forget(coco)
    with pytest.raises(ApiError, match="job_expired"):
        client.job(coco)


def test_a_failed_job_is_an_error_when_its_result_is_asked_for(client: Client) -> None:
    job = client.wait(client.submit(b"no photo"))
    assert job.state == "failed"
    with pytest.raises(ApiError, match="unsupported_format"):
        client.result(job)


def test_a_key_gives_the_same_job_and_none_a_new_one(client: Client, portrait: Path) -> None:
    first = client.submit(portrait, idempotency_key="portrait-1", overlay="none")
    assert client.submit(portrait, idempotency_key="portrait-1", overlay="none").id == first.id
    assert client.submit(portrait, overlay="none").id != first.id
    client.cancel(first)


def test_patience_with_a_job_ends(naps: list[float]) -> None:
    progress = {"done": 0, "failed": 0, "total": 1}
    queued = {"id": "x", "state": "queued", "kind": "parse", "format": "json", "progress": progress, "place": 1}
    with Client("http://x") as visitor:
        transport, _ = answers(*(httpx.Response(200, json={**queued, "expires_at": None}) for _ in range(99)))
        visitor._http = httpx.Client(base_url="http://x", transport=transport)
        with pytest.raises(NotYet, match="queued"):
            visitor.wait("x", timeout_s=0)
        for _, pause in zip(range(30), _pauses(None), strict=False):
            naps.append(pause)
    assert naps[1:4] == pytest.approx([FIRST_PAUSE_S, FIRST_PAUSE_S * 1.5, FIRST_PAUSE_S * 1.5**2])
    assert naps[-1] == LONGEST_PAUSE_S


def test_the_async_client_has_jobs_too(address: str, portrait: Path) -> None:
    async def visit() -> None:
        async with AsyncClient(address) as visitor:
            job = await visitor.wait(await visitor.submit(portrait, overlay="none"), timeout_s=60)
            result = await visitor.result(job.id)
            assert isinstance(result, Result)
            assert result.people == (await visitor.parse(portrait)).people
            several = await visitor.wait(await visitor.submit_many([portrait, portrait], format="yolo"))
            assert zipfile.is_zipfile(BytesIO(await visitor.result_bytes(several)))
            assert (await visitor.cancel(several)).state == "succeeded"
            await visitor.forget(several)
            with pytest.raises(ApiError, match="job_expired"):
                await visitor.job(several)

    asyncio.run(visit())


def answers(*responses: httpx.Response | Exception) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    """A transport that gives these answers, one a request, and the requests that it saw."""
    waiting, seen = list(responses), []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        answer = waiting.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return httpx.MockTransport(handle), seen


def busy(retry_after: str = "7") -> httpx.Response:
    problem = {"status": 503, "code": "busy", "detail": "Full.", "retry_after_s": 7}
    return httpx.Response(503, json=problem, headers={"Retry-After": retry_after})


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that a client would have slept."""
    slept: list[float] = []

    async def nap(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(client_module.time, "sleep", slept.append)
    monkeypatch.setattr(client_module.asyncio, "sleep", nap)
    return slept


def labels_through(kind: str, transport: httpx.MockTransport, **options: Any) -> Any:
    """`labels()` of the client of a kind, over another transport."""
    if kind == "sync":
        with Client("http://x", **options) as visitor:
            visitor._http = httpx.Client(base_url="http://x", transport=transport)
            return visitor.labels()

    async def visit() -> Any:
        async with AsyncClient("http://x", **options) as visitor:
            visitor._http = httpx.AsyncClient(base_url="http://x", transport=transport)
            return await visitor.labels()

    return asyncio.run(visit())


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_busy_service_is_asked_again_when_it_says(kind: str, naps: list[float]) -> None:
    transport, seen = answers(busy(), busy("9999"), httpx.Response(200, json={"labels": []}))
    assert labels_through(kind, transport) == []
    assert len(seen) == 3
    assert naps == [7, 30]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_one_that_asks_too_often_waits_too_but_not_for_hours(kind: str, naps: list[float]) -> None:
    def often(seconds: str) -> httpx.Response:
        problem = {"status": 429, "code": "rate_limited", "detail": "Too many.", "retry_after_s": int(seconds)}
        return httpx.Response(429, json=problem, headers={"Retry-After": seconds})

    transport, seen = answers(often("2"), often("3600"))
    with pytest.raises(ApiError, match="rate_limited") as caught:
        labels_through(kind, transport)
    assert caught.value.retry_after_s == 3600
    assert (len(seen), naps) == (2, [2])


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_patience_ends(kind: str, naps: list[float]) -> None:
    transport, seen = answers(busy(), busy(), busy())
    with pytest.raises(ApiError) as caught:
        labels_through(kind, transport, retries=1)
    assert (caught.value.code, caught.value.retry_after_s) == ("busy", 7)
    assert len(seen) == 2
    assert naps == [7]


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize(
    "error", [httpx.ConnectError("refused"), httpx.ReadTimeout(""), httpx.RemoteProtocolError("x")]
)
def test_no_answer_is_unreachable(kind: str, error: Exception, naps: list[float]) -> None:
    with pytest.raises(Unreachable):
        labels_through(kind, answers(error)[0])
    assert not naps


def test_an_address_without_its_beginning_is_told_as_that() -> None:
    for address in ("127.0.0.1:5000", "localhost", "ftp://localhost"):
        with Client(address) as client, pytest.raises(Unreachable, match="must begin with http"):
            client.labels()


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_proxys_own_error_page_is_an_api_error(kind: str) -> None:
    with pytest.raises(ApiError, match="502 http_error"):
        labels_through(kind, answers(httpx.Response(502, text="<html>"))[0])


def test_nobody_there_is_unreachable_and_not_ready() -> None:
    with Client("http://127.0.0.1:9", timeout_s=5) as visitor, pytest.raises(ClientError, match="does not answer"):
        visitor.ready()


def test_the_client_imports_nothing_of_the_service() -> None:
    script = (
        "import sys, humanparse.client;"
        "print(sorted({'flask', 'numpy', 'cv2', 'openvino', 'PIL', 'pycocotools', 'torch'} & set(sys.modules)),"
        "sorted(name for name in sys.modules if name.startswith('humanparse')))"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[] ['humanparse', 'humanparse.client']"


def test_what_is_in_the_photo(client: Client, portrait: Path) -> None:
    found = client.recognize(portrait, top_k=3)
    assert len(found) == 3
    assert found[0].probability >= found[1].probability > 0
    task = client._http.post("/api/recognize_async?top_k=3", files={"image": portrait.read_bytes()}).json()
    assert client.result(client.wait(task["task_id"])) == found


def test_a_photo_with_effects(client: Client, portrait: Path) -> None:
    made = client.stylize(portrait, "grey", except_="face", format="png")
    picture = cv2.imdecode(np.frombuffer(made, np.uint8), cv2.IMREAD_COLOR)
    assert 0.5 < (np.ptp(picture.astype(int), axis=2) <= 1).mean() < 1
    with zipfile.ZipFile(BytesIO(client.stylize(portrait, "oil,sepia"))) as archive:
        assert archive.namelist() == ["oil.jpg", "sepia.jpg"]
    with pytest.raises(ApiError, match="people names 9"):
        client.stylize(portrait, "sepia", people=[1, 9])


def test_a_result_that_is_kept(client: Client, portrait: Path) -> None:
    kept = client.keep(portrait, alpha=0.3)
    assert kept.address == f"/results/{kept.id}"
    assert {"overlay.png", "everything.zip"} <= set(kept.files)
    assert kept.result.overlay is None
    parsed = client.parse(portrait, include=["keypoints"])
    assert kept.result.people == parsed.people
    assert len(kept.result.people[0].keypoints) == 17
    assert client.kept(kept.id) == client.kept(kept) == kept
    assert Image.open(BytesIO(client.kept_file(kept, "overlay.png"))).size == (512, 512)
    assert Image.open(BytesIO(client.kept_file(kept.id, "person-1.png"))).mode == "RGBA"
    for file in kept.files:
        assert client.kept_file(kept, file), file
    with pytest.raises(ApiError, match="404 not_found"):
        client.kept_file(kept, "../parsing.json")
    client.forget_kept(kept)
    with pytest.raises(ApiError, match="result_expired"):
        client.kept(kept)


def test_recognition_as_a_job(client: Client, portrait: Path) -> None:
    job = client.submit_recognize(portrait, top_k=3, idempotency_key="portrait-r")
    assert client.submit_recognize(portrait, top_k=3, idempotency_key="portrait-r").id == job.id
    assert client.submit_recognize(portrait, top_k=3).id != job.id
    assert client.result(client.wait(job)) == client.recognize(portrait, top_k=3)
    with pytest.raises(ApiError, match="idempotency_key_reused"):
        client.submit_recognize(portrait, top_k=4, idempotency_key="portrait-r")


def test_what_there_is(client: Client) -> None:
    assert client.parsers()["compact"] is None
    assert {"oil", "grey"} <= {effect["name"] for effect in client.effects()}


def test_the_rest_awaited(address: str, client: Client, portrait: Path) -> None:
    async def visit() -> None:
        async with AsyncClient(address) as visitor:
            kept = await visitor.keep(portrait)
            assert await visitor.kept(kept.id) == kept
            assert await visitor.kept_file(kept, "coco.json")
            await visitor.forget_kept(kept)
            with pytest.raises(ApiError, match="result_expired"):
                await visitor.kept(kept)
            job = await visitor.wait(await visitor.submit_recognize(portrait, top_k=2))
            assert await visitor.result(job) == client.recognize(portrait, top_k=2)
            assert await visitor.effects() == client.effects()
            assert await visitor.parsers() == client.parsers()

    asyncio.run(visit())


def test_both_clients_have_the_same_methods() -> None:
    def methods(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert methods(Client) == methods(AsyncClient)
    for name in methods(Client) - {"close"}:
        both = [inspect.signature(getattr(kind, name)) for kind in (Client, AsyncClient)]
        assert both[0] == both[1], name


def test_the_sisters_awaited(address: str, portrait: Path) -> None:
    async def ask() -> tuple[int, bytes]:
        async with AsyncClient(address) as client:
            found = await client.recognize(portrait, top_k=2)
            return len(found), await client.stylize(portrait, "sepia", only=["background"])

    count, made = asyncio.run(ask())
    assert count == 2
    assert made[:2] == b"\xff\xd8"
