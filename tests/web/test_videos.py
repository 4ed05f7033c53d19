"""Videos over HTTP: the client's way and curl's, in every form, and all that may be wrong with them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from humanparse import __main__ as cli
from humanparse.client import AsyncClient, Client
from humanparse.config import Settings
from humanparse.pipeline import Pipeline
from tests.test_archives import make_zip
from tests.video.crowds import ColourParser
from tests.video.films import audio_codec, read_film, walk, write_film
from tests.web.test_api import check_problem
from tests.web.test_jobs import ended, result, submitted

COUNT = 8


@pytest.fixture
def pipeline(settings: Settings) -> Pipeline:
    return Pipeline(settings, lambda name, own: ColourParser(own))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_film(tmp_path_factory.mktemp("film") / "in.mp4", walk(COUNT), audio="aac").read_bytes()


def post(client: FlaskClient, data: bytes, name: str = "a.mp4", field: str = "video", **fields: Any) -> TestResponse:
    return client.post("/api/jobs", data={**fields, field: (BytesIO(data), name)})


def test_a_video_in_any_form_becomes_a_film_and_data(client: FlaskClient, film: bytes, tmp_path: Path) -> None:
    for response in (
        post(client, film),
        post(client, film, name="noname"),
        post(client, film, field="image"),
        post(client, film, field="file", kind="video"),
        client.post("/api/jobs", data=film, content_type="video/mp4"),
        client.post("/api/jobs?kind=video&alpha=0.4", data=film, content_type="video/quicktime"),
    ):
        job = submitted(response)
        assert (job["kind"], job["format"], job["progress"]["total"]) == ("video", "mp4", COUNT)
        assert job["data"] is None
        got = result(client, job)
        assert got.content_type == "video/mp4"
        (tmp_path / "out.mp4").write_bytes(got.data)
        assert len(read_film(tmp_path / "out.mp4")[0]) == COUNT
        assert audio_codec(tmp_path / "out.mp4") == "aac"
        found = ended(client, job)
        assert found["progress"] == {"done": COUNT, "failed": 0, "total": COUNT}
        data = client.get(found["data"], buffered=True)
        assert data.content_type == "application/x-ndjson"
        assert data.headers["Content-Disposition"] == "inline; filename=parsing.jsonl"
        rows = [json.loads(line) for line in data.text.splitlines()]
        assert [row["frame"] for row in rows] == list(range(COUNT))


def test_the_options_of_a_video_and_of_parsing(client: FlaskClient, film: bytes, tmp_path: Path) -> None:
    options = {"every": "3", "format": "webm", "sound": "false", "max_side": "100", "include": "rle,keypoints"}
    for response in (
        post(client, film, **options),
        client.post("/api/jobs", query_string=options, data=film, content_type="video/mp4"),
    ):
        job = submitted(response)
        assert (job["format"], job["progress"]["total"]) == ("webm", 3)
        got = result(client, job)
        assert got.content_type == "video/webm"
        (tmp_path / "out.webm").write_bytes(got.data)
        assert read_film(tmp_path / "out.webm")[0][0].shape == (60, 100, 3)
        assert audio_codec(tmp_path / "out.webm") is None
        row = json.loads(client.get(ended(client, job)["data"], buffered=True).text.splitlines()[1])
        assert row["time"] == pytest.approx(0.3, abs=0.002)
        assert row["people"][0]["parts"][0]["rle"]["size"] == [60, 100]
        assert "keypoint_names" in row


@pytest.mark.parametrize(
    ("fields", "option"),
    [({"every": "0"}, "every"), ({"every": "x"}, "every"), ({"fps": "-1"}, "fps"), ({"fps": "nan"}, "fps"),
     ({"max_side": "9"}, "max_side"), ({"sound": "loud"}, "sound"), ({"format": "coco"}, "format"),
     ({"kind": "parse"}, "kind"), ({"alpha": "7"}, "alpha"), ({"callback_url": "http://example.org"}, "callback_url")],
)  # fmt: skip
def test_a_wrong_option_is_refused(client: FlaskClient, film: bytes, fields: dict[str, str], option: str) -> None:
    problem = check_problem(post(client, film, **fields), 422, "invalid_option")
    assert problem["option"] == option


def test_what_is_no_video_is_refused_before_it_is_a_job(client: FlaskClient, film: bytes, photo: bytes) -> None:
    for response, status, code in (
        (post(client, b""), 400, "missing_image"),
        (post(client, b"no video" * 50), 415, "unsupported_format"),
        (post(client, photo), 415, "unsupported_format"),
        (post(client, film[: len(film) // 2]), 400, "unreadable_video"),
        (client.post("/api/jobs", data=film, content_type="video/webm"), 415, "type_mismatch"),
        (client.post("/api/jobs", data={"video": (BytesIO(film), "a.mp4", "image/png")}), 415, "type_mismatch"),
        (client.post("/api/jobs", data={"video": [(BytesIO(film), "a"), (BytesIO(film), "b")]}), 422, "invalid_option"),
        (client.post("/api/jobs", data={"video": (BytesIO(film), "a"), "image": (BytesIO(photo), "b")}), 422,
         "invalid_option"),
        (post(client, photo, field="image", kind="video"), 415, "type_mismatch"),
    ):  # fmt: skip
        check_problem(response, status, code)
    submitted(post(client, film))


def small_app(settings: Settings, pipeline: Pipeline, **limits: Any) -> FlaskClient:
    return create_app(replace(settings, **limits), pipeline).test_client()


def test_every_limit_is_held_and_named(settings: Settings, pipeline: Pipeline, film: bytes, photo: bytes) -> None:
    for limits, code, limit in (
        ({"video_bytes": 2000, "batch_bytes": 100_000}, "too_many_bytes", 2000),
        ({"video_bytes": 2000, "batch_bytes": 2000}, "too_many_bytes", 2000),
        ({"video_frames": COUNT - 1}, "video_too_long", COUNT - 1),
        ({"video_s": 0.5}, "video_too_long", 0.5),
        ({"video_pixels": 2000}, "too_many_pixels", 2000),
    ):
        assert check_problem(post(small_app(settings, pipeline, **limits), film), 413, code)["limit"] == limit
    tight = small_app(settings, pipeline, video_bytes=2000)
    assert check_problem(tight.post("/api/jobs", data=film, content_type="video/mp4"), 413, "too_many_bytes")
    # A larger limit of videos is none of photos.
    wide = small_app(settings, pipeline, batch_bytes=1024)
    check_problem(post(wide, photo * 3, field="image", name="a.jpg"), 413, "too_many_bytes")


def test_photos_and_zips_are_what_they_were(client: FlaskClient, photo: bytes) -> None:
    assert submitted(post(client, photo, field="image", name="a.jpg"))["kind"] == "parse"
    assert (
        submitted(post(client, make_zip(("a.jpg", photo)).getvalue(), field="image", name="a.zip"))["kind"] == "batch"
    )


def test_data_of_photos_and_of_what_has_not_ended(client: FlaskClient, app: Flask, film: bytes, photo: bytes,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    job = submitted(post(client, photo, field="image", name="a.jpg"))
    ended(client, job)
    check_problem(client.get(f"/api/jobs/{job['id']}/data"), 404, "not_found")
    check_problem(client.get(f"/api/jobs/{'x' * 22}/data"), 404, "job_expired")
    app.extensions["humanparse"].jobs.runner.stop()
    monkeypatch.setattr(app.extensions["humanparse"].jobs.runner, "wake", lambda: None)
    waiting = submitted(post(client, film))
    check_problem(client.get(f"/api/jobs/{waiting['id']}/data"), 409, "job_unfinished")
    assert client.delete(f"/api/jobs/{waiting['id']}").get_json()["state"] == "cancelled"
    check_problem(client.get(f"/api/jobs/{waiting['id']}/data"), 409, "job_cancelled")


def test_an_idempotency_key_knows_the_options_of_a_video(client: FlaskClient, film: bytes) -> None:
    headers = {"Idempotency-Key": "film-1"}

    def send(**query: str) -> TestResponse:
        return client.post("/api/jobs", query_string=query, data=film, content_type="video/mp4", headers=headers)

    assert submitted(send())["id"] == submitted(send())["id"]
    check_problem(send(every="2"), 422, "idempotency_key_reused")


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory, astronaut: Any) -> Path:
    """A photo of one person moved across the frame: a film that the real parser sees somebody in."""
    small = cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)
    wide = cv2.copyMakeBorder(small, 0, 0, 80, 80, cv2.BORDER_REPLICATE)
    frames = [wide[:, 80 - 8 * t : 80 - 8 * t + 320].copy() for t in range(8)]
    return write_film(tmp_path_factory.mktemp("people") / "people.mp4", frames)


def test_the_real_parser_follows_a_person_through_a_film_by_client_and_command_line(
    address: str, people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Client(address) as client:
        job = client.wait(client.submit_video(people, include=["keypoints"]), timeout_s=120)
        rows = client.frames(job)
        (tmp_path / "out.mp4").write_bytes(client.result_bytes(job))
        assert client.result(job) == client.result_bytes(job)
    assert (job.kind, job.state, job.done) == ("video", "succeeded", 8)
    largest = [row["people"][0] for row in rows]
    assert {person["id"] for person in largest} == {1}
    middles = [(person["box"][0] + person["box"][2]) / 2 for person in largest]
    assert middles[-1] - middles[0] == pytest.approx(56, abs=16)
    before, after = read_film(people)[0][3].astype(int), read_film(tmp_path / "out.mp4")[0][3]
    assert (abs(after - before).max(axis=2) > 40).mean() > 0.1

    assert cli.main(["submit", str(people), "--to", address]) == 0
    id = capsys.readouterr().out.strip()
    assert cli.main(["job", id, "--to", address, "--out", str(tmp_path / "jobs")]) == 0
    assert {path.name for path in (tmp_path / "jobs").iterdir()} == {f"{id}.mp4", f"{id}.jsonl"}

    async def rows_again() -> list[dict[str, Any]]:
        async with AsyncClient(address) as client:
            job = await client.wait(await client.submit_video(people, every=4))
            return await client.frames(job)

    assert [row["frame"] for row in asyncio.run(rows_again())] == [0, 1]
