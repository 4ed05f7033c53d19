"""/metrics and /requests: who may read them, and what they say."""

from __future__ import annotations

import csv
import io
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import TestResponse

from app import create_app
from humanparse.config import Settings
from humanparse.errors import ConfigError, StorageError
from humanparse.jobs.desk import Desk
from humanparse.keys import KeyFile
from humanparse.pipeline import Pipeline
from humanparse.request_log import RequestLog
from tests.band_parser import BandParser
from tests.colour_recognizer import ColourRecognizer
from tests.web.html_reader import Page
from tests.web.visits import BROWSER

TOKEN = "a-token-of-twenty-one"
FAR = {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}}
PAGES = ("/metrics", "/requests", "/requests.csv")


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, request_log_rows=1000, request_log_dir=tmp_path / "logs")


@pytest.fixture
def log(client: FlaskClient) -> Iterator[RequestLog]:
    made: RequestLog = client.application.extensions["humanparse"].request_log
    yield made
    made.close()


def other_client(settings: Settings, pipeline: Pipeline, **changes: object) -> FlaskClient:
    return create_app(replace(settings, **changes), pipeline).test_client()  # type: ignore[arg-type]


def status_of(response: TestResponse) -> int:
    """Closed at once: the CSV is read from the log's database, in the thread that began to."""
    response.close()
    return response.status_code


def parse(client: FlaskClient, photo: bytes, query: str = "") -> None:
    client.post(f"/api/parse{query}", data=photo, content_type="image/jpeg")


def samples(client: FlaskClient) -> dict[str, float]:
    """Every sample of /metrics: name{label="value"} -> value."""
    text = client.get("/metrics").text
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_by_default_only_this_machine_reads(client: FlaskClient) -> None:
    for page in PAGES:
        assert status_of(client.get(page)) == 200
        assert status_of(client.get(page, base_url="http://localhost:5000")) == 200
        assert status_of(client.get(page, base_url="http://[::1]:5000")) == 200
        for strange in (
            FAR,
            {"environ_base": {"REMOTE_ADDR": ""}},  # a Unix socket
            {"headers": {"X-Forwarded-For": "127.0.0.1"}},
            {"headers": {"Forwarded": "for=127.0.0.1"}},
            {"base_url": "http://rebound.example"},
            {"base_url": "http://127.0.0.1.example:5000"},
        ):
            refused = client.get(page, **strange)  # type: ignore[arg-type]
            assert (refused.status_code, refused.get_json()["code"]) == (403, "forbidden"), strange


def test_off_and_all(settings: Settings, pipeline: Pipeline) -> None:
    off = other_client(settings, pipeline, monitoring="off")
    everybody = other_client(settings, pipeline, monitoring="all")
    for page in PAGES:
        assert off.get(page).status_code == 404
        assert status_of(everybody.get(page, **FAR)) == 200  # type: ignore[arg-type]


def test_a_token_as_bearer_or_as_password(settings: Settings, pipeline: Pipeline) -> None:
    client = other_client(settings, pipeline, monitoring="token", monitoring_token=TOKEN)
    basic = b64encode(f"anybody:{TOKEN}".encode()).decode()
    for page in PAGES:
        for given in (f"Bearer {TOKEN}", f"Basic {basic}"):
            assert status_of(client.get(page, headers={"Authorization": given}, **FAR)) == 200  # type: ignore[arg-type]
        for given in ("", "Bearer", f"Bearer {TOKEN}x", "Bearer ü", "Basic YTpi", "Basic !", f"Digest {TOKEN}"):
            refused = client.get(page, headers={"Authorization": given})
            assert (refused.status_code, refused.get_json()["code"]) == (401, "token_needed"), given
            assert refused.headers["WWW-Authenticate"].startswith("Basic realm")


def test_where_keys_are_asked_for_the_token_is_enough(settings: Settings, pipeline: Pipeline, tmp_path: Path) -> None:
    """Prometheus has one `Authorization` to send. Without a token operators need a key like everybody."""
    keys = KeyFile(tmp_path / "keys.json")
    keyed = {"X-API-Key": keys.add("ada")}
    client = other_client(settings, pipeline, keys_file=keys.path, monitoring="token", monitoring_token=TOKEN)
    local = other_client(settings, pipeline, keys_file=keys.path)
    for path in PAGES:
        assert status_of(client.get(path, headers={"Authorization": f"Bearer {TOKEN}"}, **FAR)) == 200
        assert status_of(client.get(path, headers=keyed)) == 401
        assert status_of(local.get(path)) == 401
        assert status_of(local.get(path, headers=keyed)) == 200
        assert status_of(local.get(path, headers=keyed, **FAR)) == 403


def test_a_token_must_be_one() -> None:
    with pytest.raises(ConfigError, match="MONITORING_TOKEN") as caught:
        Settings(monitoring="token", monitoring_token="short")
    assert "short" not in caught.value.message
    assert TOKEN not in repr(Settings(monitoring_token=TOKEN))


def test_requests_errors_and_cache_are_counted(client: FlaskClient, photo: bytes) -> None:
    before = samples(client)
    parse(client, photo)
    parse(client, b"no photo")
    client.get("/nowhere/at/all")
    client.open("/api/parse", method="BREW")
    after = samples(client)

    def grown(name: str) -> float:
        return after[name] - before.get(name, 0.0)

    request = "humanparse_requests_total[('endpoint', '{}'), ('method', '{}'), ('status', '{}')]"
    assert grown(request.format("/api/parse", "POST", "200")) == 1
    assert grown(request.format("/api/parse", "POST", "415")) == 1
    assert grown(request.format("(none)", "GET", "404")) == 1
    assert grown("humanparse_request_seconds_count[('endpoint', '/api/parse')]") == 2
    assert grown("humanparse_errors_total[('code', 'unsupported_format'), ('status', '415')]") == 1
    assert grown("humanparse_stage_seconds_count[('parser', ''), ('stage', 'encode')]") == 1
    assert not [name for name in after if "BREW" in name or "nowhere" in name]


def test_memory_jobs_and_build_are_there(client: FlaskClient, photo: bytes) -> None:
    client.post("/api/jobs", data=photo, content_type="image/jpeg")
    found = samples(client)
    assert found["humanparse_memory_bytes[('kind', 'pss')]"] > 1 << 20
    assert 0 < found["humanparse_memory_used_bytes[]"] < found["humanparse_memory_limit_bytes[]"]
    assert sum(value for name, value in found.items() if name.startswith("humanparse_jobs[")) == 1
    (build,) = [name for name in found if name.startswith("humanparse_build_info")]
    assert "('parser', 'compact')" in build


def test_without_the_jobs_there_are_still_metrics(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Desk) -> dict[str, int]:
        raise StorageError("gone")

    monkeypatch.setattr(Desk, "counts", fail)
    found = samples(client)
    assert "humanparse_processes[]" in found
    assert not [name for name in found if name.startswith("humanparse_jobs")]


def test_the_log_as_json_page_and_csv_say_the_same(client: FlaskClient, log: RequestLog, photo: bytes) -> None:
    parse(client, photo, "?alpha=0.25&include=rle,masks")
    parse(client, b"no photo")
    client.get("/healthz")
    log.close()
    answer = client.get("/requests").get_json()
    refused, parsed = answer["requests"]
    assert (parsed["endpoint"], parsed["status"], parsed["people"]) == ("/api/parse", 200, 2)
    assert parsed["options"] == {"alpha": 0.25, "include": ["masks", "rle"]}
    assert set(parsed["stages_ms"]) == {"decode", "wait", "parse", "compose", "encode"}
    assert (refused["status"], refused["code"], refused["photos"]) == (415, "unsupported_format", 0)
    assert [row["endpoint"] for row in answer["summary"]] == ["/api/parse"]
    page = Page(client.get("/requests", headers=BROWSER).text)
    text = page.all("main")[0].text
    for word in ("/api/parse", "415 unsupported_format", "bands", "alpha=0.25", parsed["request_id"]):
        assert word in text
    rows = list(csv.DictReader(io.StringIO(client.get("/requests.csv").text)))
    assert [row["request_id"] for row in rows][:2] == [parsed["request_id"], refused["request_id"]]


def test_no_name_of_a_file_result_or_job_is_kept(client: FlaskClient, log: RequestLog, photo: bytes) -> None:
    client.post("/api/parse", data={"image": (io.BytesIO(photo), "my-secret-face.jpg")})
    address = client.post("/upload", data={"image": (io.BytesIO(photo), "my-secret-face.jpg")}).location
    client.get(address)
    job = client.post("/api/jobs", data=photo, content_type="image/jpeg").get_json()
    client.get(f"/api/jobs/{job['id']}")
    log.close()
    text = client.get("/requests.csv").text
    assert "/api/jobs/<id>" in text
    assert "/results/<name>" in text
    for secret in ("my-secret-face", address.rsplit("/", 1)[1], job["id"]):
        assert secret not in text


def test_pages_turn(client: FlaskClient, log: RequestLog) -> None:
    for _ in range(60):
        client.get("/api/labels")
    client.get("/nowhere")
    log.close()
    first = client.get("/requests").get_json()
    rest = client.get(f"/requests?before={first['before']}").get_json()
    assert [len(first["requests"]), rest["before"]] == [50, None]
    numbers = [row["number"] for row in first["requests"] + rest["requests"]]
    assert numbers == sorted(set(numbers), reverse=True)
    assert len(numbers) >= 61
    failed = client.get("/requests?failed=1").get_json()["requests"]
    assert [row["status"] for row in failed] == [404]
    page = Page(client.get("/requests", headers=BROWSER).text)
    links = [link.attributes.get("href") or "" for link in page.all("a")]
    assert any(re.fullmatch(r"/requests\?before=\d+", link) for link in links)
    for bad in ("x", "-1", "1e3", "9" * 30, "²"):
        assert client.get(f"/requests?before={bad}").status_code == 422


def test_the_log_has_the_options_of_the_sisters_too(settings: Settings, photo: bytes) -> None:
    pipeline = Pipeline(settings, lambda *_: BandParser(), make_recognizer=lambda *_: ColourRecognizer())
    own = create_app(settings, pipeline).test_client()
    kept = own.post("/api/results", data=photo, content_type="image/jpeg").get_json()["id"]
    for address in ("/api/recognize?top_k=3&cache=false", "/api/stylize?effect=grey,sepia&only=face,pants&people=2"):
        assert own.post(address, data=photo, content_type="image/jpeg").status_code == 200
    assert own.post(f"/api/results/{kept}/stylize?effect=oil&size=2&except=hair&format=png").status_code == 200
    assert own.post(f"/api/results/{kept}/recognize").status_code == 200
    assert own.post("/api/recognize_async?top_k=2", data=photo, content_type="image/jpeg").status_code == 202
    parts = own.application.extensions["humanparse"]
    parts.jobs.runner.stop()
    worker = parts.jobs.runner._worker
    while (job := worker.claim_next()) is not None:
        worker.run(job)
    parts.request_log.close()
    assert [(entry.method, entry.options) for entry in reversed(parts.request_log.latest(10))][1:] == [
        ("POST", {"top_k": 3, "cache": False}),
        ("POST", {"effect": ["grey", "sepia"], "only": ["Pants", "Face"], "people": [2]}),
        ("POST", {"effect": ["oil"], "except": ["Hair"], "size": 2.0, "format": "png"}),
        ("POST", {}),
        ("POST", {"top_k": 2}),
        ("JOB", {"top_k": 2}),
    ]
    parts.request_log.close()


def test_a_job_has_a_row_when_it_has_ended(client: FlaskClient, log: RequestLog, photo: bytes) -> None:
    with client.application.app_context():
        parts = client.application.extensions["humanparse"].jobs
    for data in (photo, b"no photo"):
        client.post("/api/jobs", data=data, content_type="image/jpeg")
    parts.runner.stop()
    worker = parts.runner._worker
    while (job := worker.claim_next()) is not None:
        worker.run(job)
    log.close()
    rows = [entry for entry in log.latest(10) if entry.method == "JOB"]
    assert sorted((entry.status, entry.code, entry.photos) for entry in rows) == [
        (200, None, 1),
        (415, "unsupported_format", 0),
    ]


def test_without_a_request_log_the_page_says_how_to_have_one(settings: Settings, pipeline: Pipeline) -> None:
    answer = other_client(settings, pipeline, request_log_rows=0).get("/requests")
    assert answer.status_code == 404
    assert "HUMANPARSE_REQUEST_LOG_ROWS" in answer.get_json()["detail"]
