"""What operators copy is held to the linter of each kind; without a container engine that is as far as it goes."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from compose_spec.models import ComposeSpecification, Service

from app import create_app
from humanparse.cache.redis_blobs import RedisBlobs
from humanparse.config import PREFIX, Settings
from humanparse.jobs.records import Job, Order, new_id
from humanparse.jobs.redis_store import RedisStore
from humanparse.options import ParseOptions
from humanparse.web.schemas import PROBLEM
from tests.conftest import serving
from tests.redis_server import free_port, running_redis

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
PATIENCE_S = 60
KEYS = {PREFIX + item.name.upper() for item in fields(Settings)}
UNITS = sorted(DEPLOY.glob("systemd/*.service"))
MANIFESTS = sorted(DEPLOY.glob("kubernetes/*.yaml"))


def program(name: str, package: str) -> str:
    """The path of a program that no package of Python's brings."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found:
        return found
    if os.environ.get("CI"):
        pytest.fail(f"{name} is not installed; .ci/run installs it", pytrace=False)
    pytest.skip(f"{name} is not installed (Debian: apt-get install {package}): its files are NOT checked")


def run(*command: str) -> str:
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def beside_python(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def test_the_dockerfile_is_good_by_hadolint(tmp_path: Path) -> None:
    run(beside_python("hadolint"), "Dockerfile")
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM debian\nRUN cd /tmp && sudo ls\n")
    assert subprocess.run([beside_python("hadolint"), str(bad)], capture_output=True).returncode != 0


def test_the_image_gets_all_that_the_service_reads_and_nothing_else() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    assert all((ROOT / name).exists() for name in let_in)
    assert {"app.py", "utils.py", "gunicorn.conf.py", "humanparse", "static", "templates"} <= let_in
    assert not let_in & {"tests", "training", ".git", "uploads", "results"}


def test_the_image_is_no_root_and_checks_itself() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.findall(r"^USER (\d+)$", text, re.MULTILINE)[-1] != "0"
    assert "HEALTHCHECK" in text
    assert set(re.findall(rf"{PREFIX}[A-Z_]+", text)) <= KEYS


def test_compose_is_good_by_the_compose_specification() -> None:
    plain = yaml.safe_load((ROOT / "compose.yaml").read_text())
    made = ComposeSpecification.model_validate(plain)
    assert set(made.services or {}) == {"web", "worker", "redis"}
    for name in ("web", "worker"):
        service = plain["services"][name]
        assert set(service["environment"]) <= KEYS
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        assert service["deploy"]["resources"]["limits"].keys() >= {"cpus", "memory"}
    for service in plain["services"].values():  # the models take words that they do not know
        known = {field.alias or name for name, field in Service.model_fields.items()}
        assert set(service) <= known
    for wrong in ({"image": "x", "ports": "5000"}, {"image": "x", "healthcheck": {"test": 3}}):
        with pytest.raises(ValueError):
            ComposeSpecification.model_validate({"services": {"web": wrong}})


def redis_options(where: str) -> list[str]:
    """How the Redis of compose.yaml, or of Kubernetes' files, is started."""
    if where == "compose":
        words = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["redis"]["command"]
        return [str(word) for word in words[1:]]
    (pod,) = (found["spec"]["template"]["spec"] for found in documents() if found["kind"] == "StatefulSet")
    return [str(word) for word in pod["containers"][0]["args"]]


@pytest.mark.parametrize("where", ["compose", "kubernetes"])
def test_a_cache_that_fills_redis_takes_no_place_of_a_job(where: str, tmp_path: Path) -> None:
    """There the cache has the Redis that the jobs are in."""
    options = redis_options(where)
    options[options.index("--maxmemory") + 1] = "16mb"
    with running_redis(tmp_path, *options) as url:
        jobs, cache = RedisStore(url), RedisBlobs(f"{url.removesuffix('/0')}/1", 3600)
        first, second = (Job(new_id(), Order("parse", ("a.jpg",), 1, ParseOptions(), "json", "id"), 0, 9) for _ in "12")
        jobs.add(first, 100, 1 << 30)
        assert all(cache.put(str(number), bytes(100_000)) for number in range(300))
        jobs.add(second, 100, 1 << 30)
        assert {job.id for job in jobs.queued()} == {first.id, second.id}
        left = sum(cache.get(str(number)) is not None for number in range(300))
        assert 0 < left < 200  # 16 MB hold some 160; which of them go, in one second, is chance


def test_the_manifests_are_good_by_kubernetes_own_schemas(tmp_path: Path) -> None:
    said = run(beside_python("kubernetes-validate"), "--strict", *map(str, MANIFESTS))
    assert said.count("passed") == sum(1 for _ in documents())
    bad = tmp_path / "bad.yaml"
    bad.write_text((DEPLOY / "kubernetes" / "web.yaml").read_text().replace("readinessProbe", "readynessProbe"))
    checked = subprocess.run([beside_python("kubernetes-validate"), "--strict", str(bad)], capture_output=True)
    assert checked.returncode != 0


def documents() -> Iterator[dict[str, Any]]:
    for path in MANIFESTS:
        yield from yaml.safe_load_all(path.read_text())


def test_every_pod_is_bounded_and_no_root_and_probes_ask_for_what_there_is() -> None:
    from tests.web.test_openapi import DOCUMENT

    pods = [found["spec"]["template"]["spec"] for found in documents() if "template" in found.get("spec", {})]
    assert len(pods) == 3
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            assert set(container["resources"]) == {"requests", "limits"}
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert "livenessProbe" in container
            for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
                path = container.get(kind, {}).get("httpGet", {}).get("path")
                assert path is None or path in DOCUMENT["paths"]
    config = next(found for found in documents() if found["kind"] == "ConfigMap")
    Settings.from_env(config["data"])


def test_pods_are_not_given_variables_that_the_settings_refuse() -> None:
    """Kubernetes tells every pod of every Service: HUMANPARSE_SERVICE_HOST for one called humanparse."""
    names = [found["metadata"]["name"] for found in documents() if found["kind"] == "Service"]
    assert any(name.upper().startswith(PREFIX.rstrip("_")) for name in names)
    for found in documents():
        pod = found.get("spec", {}).get("template", {}).get("spec", {})
        if "redis" not in found["metadata"]["name"] and pod:
            assert pod["enableServiceLinks"] is False


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_the_units_are_good_by_systemd(unit: Path, tmp_path: Path) -> None:
    analyze = program("systemd-analyze", "systemd")
    text = unit.read_text()
    assert set(re.findall(rf"{PREFIX}[A-Z_]+", text)) <= KEYS
    copy = tmp_path / unit.name
    copy.write_text(text.replace("/opt/humanparse/.venv/bin/", f"{Path(sys.executable).parent}/"))
    assert run(analyze, "verify", "--man=no", str(copy)).strip() == ""
    run(analyze, "security", "--offline=yes", "--threshold=25", str(copy))  # of 100, the less the better
    copy.write_text(text.replace("ProtectSystem=strict", "ProtectSystem=perhaps"))
    checked = subprocess.run([analyze, "verify", "--man=no", str(copy)], capture_output=True, text=True)
    assert "Failed to parse" in checked.stderr


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[str]:
    """http://... of the real service, which tells everybody of itself: whoever is refused was refused before it."""
    folders = {name: tmp_path / name for name in ("results_dir", "jobs_dir", "cache_dir", "request_log_dir")}
    made = Settings(**folders, threads=1, decode="thread", monitoring="all", request_log_rows=100)
    with serving(create_app(made)) as address:
        yield address


@pytest.fixture
def nginx(tmp_path: Path, watched: str) -> Iterator[str]:
    """http://... of a real nginx with our site before the service; the site is checked by `-t` first."""
    path, port = program("nginx", "nginx-light"), free_port()
    site = (DEPLOY / "nginx" / "humanparse.conf").read_text()
    site = site.replace("listen 80;", f"listen 127.0.0.1:{port};").replace("    listen [::]:80;\n", "")
    site = site.replace("127.0.0.1:5000", watched.removeprefix("http://"))
    temps = "".join(f"{kind}_temp_path {tmp_path}/{kind};\n"
                    for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))  # fmt: skip
    conf = tmp_path / "nginx.conf"
    conf.write_text(f"pid {tmp_path}/pid;\nerror_log {tmp_path}/log;\ndaemon off;\nmaster_process off;\nevents {{}}\n"
                    f"http {{\naccess_log off;\n{temps}{site}}}\n")  # fmt: skip
    arguments = [path, "-p", str(tmp_path), "-e", str(tmp_path / "log"), "-c", str(conf)]
    run(*arguments, "-t")
    process = subprocess.Popen(arguments)
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def wait_for(url: str) -> None:
    with httpx.Client(transport=httpx.HTTPTransport(retries=20)) as client:
        assert client.get(url).status_code == 200


def test_nginx_takes_our_site_and_passes_photos_until_there_are_too_many(nginx: str, photo: bytes) -> None:
    with httpx.Client(base_url=nginx, timeout=PATIENCE_S) as client:
        assert client.post("/api/parse?overlay=none", files={"image": photo}).json()["status"] == "success"
        batch = client.post("/api/parse/batch?overlay=none", files=[("image", photo), ("image", photo)])
        assert batch.json()["succeeded"] == 2
        assert {client.get("/api/labels").status_code for _ in range(60)} == {200}  # looking is not sending
        for address in ("/api/parse", "/predict", "/api/jobs", "/upload"):
            statuses = [client.post(address).status_code for _ in range(60)]
            assert 429 in statuses, address
            assert set(statuses[statuses.index(429) :]) & {429}
        refused = next(answer for answer in (client.post("/api/parse") for _ in range(60)) if answer.status_code == 429)
        assert refused.headers["Content-Type"] == "application/problem+json"
        problem = refused.json()
        assert (problem["code"], problem["status"], problem["retry_after_s"]) == ("rate_limited", 429, 2)
        assert set(PROBLEM["required"]) <= set(problem)
        assert refused.headers["Retry-After"] == "2"
        assert client.get("/readyz").status_code == 200
        assert client.get("/").status_code == 200


def test_nginx_shows_nobody_what_is_for_operators(nginx: str, watched: str) -> None:
    with httpx.Client(base_url=nginx, timeout=PATIENCE_S) as client, httpx.Client(base_url=watched) as inside:
        for path in ("/metrics", "/requests", "/requests.csv", "/requests?failed=1", "//metrics", "/%6detrics",
                     "/x/../requests"):  # fmt: skip
            assert client.get(nginx + path, headers={"Accept": "application/json"}).status_code == 403, path
        for path in ("/metrics", "/requests", "/requests.csv"):
            assert inside.get(path).status_code == 200, path
        assert client.get("/metrics/").status_code == 404  # the service's own word: there is no such page


def test_nginx_refuses_too_large_a_body_in_the_services_shape(nginx: str) -> None:
    host, port = nginx.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as line:
        line.sendall(b"POST /api/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 900000000\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: line.recv(1 << 16), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413") and b"application/problem+json" in head
    assert json.loads(body)["code"] == "too_many_bytes"


def test_the_slim_requirements_are_some_of_all() -> None:
    def lines(name: str) -> set[str]:
        return {line for line in (ROOT / name).read_text().splitlines() if line and line[0] != "#"}

    left_out = {line.split("==")[0] for line in lines("requirements.txt") - lines("requirements-slim.txt")}
    assert left_out == {"torch", "modelscope"}
    assert lines("requirements-slim.txt") < lines("requirements.txt")
