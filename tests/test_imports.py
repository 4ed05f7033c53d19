"""The import table: which room may import which. A new edge is a decision, so it is made here."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HTTP = {"flask", "werkzeug"}

# room -> our own rooms it may import; a folder stands for everything in it
TABLE: dict[str, set[str]] = {
    "humanparse/__init__.py": set(),
    "humanparse/errors.py": set(),
    "humanparse/labels.py": set(),
    "humanparse/keypoints.py": set(),
    "humanparse/cpu.py": set(),
    "humanparse/records.py": {"humanparse.keypoints", "humanparse.labels"},
    "humanparse/config.py": {"humanparse.errors"},
    "humanparse/gate.py": {"humanparse.errors", "humanparse.metrics"},
    "humanparse/logs.py": {"humanparse.config"},
    "humanparse/memory.py": set(),
    # the counters know nobody; whoever reads them looks up the rest
    "humanparse/metrics/__init__.py": set(),
    "humanparse/metrics/snapshot.py": {
        "humanparse.config",
        "humanparse.errors",
        "humanparse.memory",
        "humanparse.metrics",
        "humanparse.parsers",
    },
    "humanparse/telemetry.py": {"humanparse.metrics"},
    "humanparse/stopwatch.py": {"humanparse.telemetry"},
    "humanparse/request_log.py": {
        "humanparse.config",
        "humanparse.errors",
        "humanparse.metrics",
        "humanparse.shared_database",
    },
    "humanparse/storage.py": {"humanparse.errors"},
    "humanparse/shared_database.py": set(),
    "humanparse/values.py": {"humanparse.errors"},
    "humanparse/image_formats.py": {"humanparse.errors"},
    "humanparse/images.py": {"humanparse.errors", "humanparse.image_formats"},
    "humanparse/encoding.py": {"humanparse.errors"},
    "humanparse/decoding": {
        "humanparse.apart",
        "humanparse.config",
        "humanparse.decoding",
        "humanparse.errors",
        "humanparse.images",
    },
    "humanparse/decoding/child.py": {"humanparse.apart", "humanparse.errors", "humanparse.images"},
    "humanparse/decoding/nursery.py": {"humanparse.apart", "humanparse.decoding.child"},
    "humanparse/apart.py": {"humanparse.errors"},
    "utils.py": {"humanparse.labels"},
    "humanparse/parsers/__init__.py": {"humanparse.config", "humanparse.errors", "humanparse.parsers.contract"},
    "humanparse/parsers/contract.py": {"humanparse.records"},
    "humanparse/parsers/inference.py": {"humanparse.cpu"},
    "humanparse/parsers/sizes.py": set(),
    "humanparse/parsers/compact": {
        "humanparse.config",
        "humanparse.cpu",
        "humanparse.errors",
        "humanparse.keypoints",
        "humanparse.labels",
        "humanparse.layers",
        "humanparse.parsers.compact",
        "humanparse.parsers.contract",
        "humanparse.parsers.inference",
        "humanparse.parsers.sizes",
        "humanparse.records",
    },
    "humanparse/layers.py": set(),
    "humanparse/hub.py": {"humanparse.errors"},
    "humanparse/recognition": {
        "humanparse.cache",
        "humanparse.config",
        "humanparse.cpu",
        "humanparse.decoding",
        "humanparse.errors",
        "humanparse.gate",
        "humanparse.hub",
        "humanparse.layers",
        "humanparse.loading",
        "humanparse.parsers.inference",
        "humanparse.recognition",
        "humanparse.stopwatch",
        "humanparse.telemetry",
        "humanparse.values",
    },
    "humanparse/effects": {
        "humanparse.cpu",
        "humanparse.effects",
        "humanparse.errors",
        "humanparse.labels",
        "humanparse.records",
        "humanparse.values",
    },
    "humanparse/stylize_options.py": {
        "humanparse.config",
        "humanparse.effects",
        "humanparse.encoding",
        "humanparse.errors",
        "humanparse.options",
        "humanparse.values",
    },
    "humanparse/studio.py": {
        "humanparse.cache",
        "humanparse.config",
        "humanparse.effects",
        "humanparse.encoding",
        "humanparse.exports",
        "humanparse.gate",
        "humanparse.options",
        "humanparse.pipeline",
        "humanparse.records",
        "humanparse.stopwatch",
        "humanparse.stylize_options",
    },
    "humanparse/parsers/m2fp": {
        "humanparse.config",
        "humanparse.cpu",
        "humanparse.errors",
        "humanparse.hub",
        "humanparse.labels",
        "humanparse.parsers.contract",
        "humanparse.parsers.inference",
        "humanparse.parsers.sizes",
        "humanparse.parsers.m2fp",
        "humanparse.records",
    },
    "humanparse/options.py": {
        "humanparse.config",
        "humanparse.errors",
        "humanparse.exports",
        "humanparse.labels",
        "humanparse.parsers",
        "humanparse.values",
    },
    "humanparse/exports": {
        "humanparse.encoding",
        "humanparse.exports",
        "humanparse.keypoints",
        "humanparse.labels",
        "humanparse.records",
    },
    "humanparse/client.py": set(),
    "humanparse/allocator.py": set(),
    "humanparse/loading.py": {"humanparse.allocator"},
    "humanparse/keys.py": {"humanparse.errors"},
    "humanparse/outbound.py": set(),
    "humanparse/fetching.py": {"humanparse.errors", "humanparse.outbound"},
    "humanparse/archives.py": {"humanparse.errors"},
    "humanparse/cache": {
        "humanparse.cache",
        "humanparse.config",
        "humanparse.errors",
        "humanparse.options",
        "humanparse.records",
        "humanparse.shared_database",
    },
    "humanparse/checks.py": {"humanparse.config", "humanparse.errors", "humanparse.parsers", "humanparse.recognition"},
    "humanparse/workers.py": {"humanparse.config", "humanparse.cpu", "humanparse.memory", "humanparse.parsers"},
    "humanparse/doctor": {
        "humanparse.config",
        "humanparse.cpu",
        "humanparse.doctor",
        "humanparse.errors",
        "humanparse.image_formats",
        "humanparse.images",
        "humanparse.memory",
        "humanparse.parsers",
        "humanparse.workers",
    },
    "humanparse/pipeline.py": {
        "humanparse.cache",
        "humanparse.config",
        "humanparse.decoding",
        "humanparse.gate",
        "humanparse.labels",
        "humanparse.loading",
        "humanparse.options",
        "humanparse.parsers",
        "humanparse.recognition",
        "humanparse.records",
        "humanparse.stopwatch",
        "humanparse.telemetry",
        "utils",
    },
    "humanparse/answers.py": {
        "humanparse.exports",
        "humanparse.labels",
        "humanparse.pipeline",
        "humanparse.stopwatch",
    },
    "humanparse/kept.py": {
        "humanparse.answers",
        "humanparse.config",
        "humanparse.encoding",
        "humanparse.errors",
        "humanparse.exports",
        "humanparse.images",
        "humanparse.labels",
        "humanparse.options",
        "humanparse.pipeline",
        "humanparse.records",
        "humanparse.stopwatch",
    },
    "humanparse/bundle.py": {"humanparse.exports"},
    "humanparse/batches.py": {
        "humanparse.answers",
        "humanparse.archives",
        "humanparse.bundle",
        "humanparse.config",
        "humanparse.errors",
        "humanparse.exports",
        "humanparse.options",
        "humanparse.pipeline",
    },
    # knows no parser and no job: whoever calls it parses
    "humanparse/video": {
        "humanparse.apart",
        "humanparse.errors",
        "humanparse.exports",
        "humanparse.labels",
        "humanparse.options",
        "humanparse.records",
        "humanparse.values",
        "humanparse.video",
        "utils",
    },
    "humanparse/video/tracking.py": {"humanparse.records", "humanparse.video.camera"},
    "humanparse/video/camera.py": set(),
    "humanparse/jobs": {
        "humanparse.batches",
        "humanparse.config",
        "humanparse.errors",
        "humanparse.jobs",
        "humanparse.logs",
        "humanparse.options",
        "humanparse.outbound",
        "humanparse.pipeline",
        "humanparse.recognition",
        "humanparse.records",
        "humanparse.request_log",
        "humanparse.shared_database",
        "humanparse.telemetry",
        "humanparse.video",
    },
    # the one edge to Celery, taken only where a broker is set
    "humanparse/jobs/backends.py": {
        "humanparse.config",
        "humanparse.jobs",
        "humanparse.pipeline",
        "humanparse.request_log",
        "humanparse.tasks",
    },
    # a composition root, of workers; the statuses of problems live in web/
    "humanparse/tasks.py": {
        "humanparse.allocator",
        "humanparse.cache",
        "humanparse.config",
        "humanparse.errors",
        "humanparse.jobs",
        "humanparse.logs",
        "humanparse.metrics",
        "humanparse.pipeline",
        "humanparse.request_log",
        "humanparse.web.errors",
    },
    "humanparse/commands": {
        "humanparse.answers",
        "humanparse.cache",
        "humanparse.checks",
        "humanparse.client",
        "humanparse.commands",
        "humanparse.config",
        "humanparse.cpu",
        "humanparse.doctor",
        "humanparse.effects",
        "humanparse.errors",
        "humanparse.exports",
        "humanparse.image_formats",
        "humanparse.jobs",
        "humanparse.keys",
        "humanparse.labels",
        "humanparse.memory",
        "humanparse.options",
        "humanparse.parsers",
        "humanparse.pipeline",
        "humanparse.recognition",
        "humanparse.request_log",
        "humanparse.stopwatch",
        "humanparse.storage",
        "humanparse.studio",
        "humanparse.stylize_options",
        "humanparse.video",
        "humanparse.workers",
    },
    "humanparse/web": {"humanparse", "!utils", "!humanparse.__main__", "!humanparse.commands"},
    "humanparse/__main__.py": {"humanparse", "humanparse.commands", "!humanparse.web"},
    "app.py": {"humanparse"},
    "gunicorn.conf.py": {
        "app",
        "humanparse.allocator",
        "humanparse.checks",
        "humanparse.decoding",
        "humanparse.errors",
        "humanparse.logs",
        "humanparse.parsers",
        "humanparse.web.gunicorn_worker",
        "humanparse.workers",
    },
    "training": {"training", "humanparse", "utils", "!humanparse.web"},
    "benchmarks": {"benchmarks", "humanparse", "app", "reference"},
    "reference": {"reference"},
}
NO_TORCH = ("humanparse", "app.py", "utils.py", "gunicorn.conf.py")
# M2FP in torch: what it is converted from, and its fallback; test_parser.py proves that serving needs none of them
TORCH_ROOMS = ("backbone", "convert", "deformable", "network", "pixel_decoder", "position", "query_decoder")


def sources() -> list[Path]:
    folders = [ROOT / name for name in ("humanparse", "training", "benchmarks", "reference")]
    return sorted(p for p in [*ROOT.glob("*.py"), *(p for f in folders for p in f.rglob("*.py"))])


def room_of(path: Path) -> str:
    name = path.relative_to(ROOT).as_posix()
    fitting = [room for room in TABLE if name == room or name.startswith(room + "/")]
    assert fitting, f"{name} is in no room of the import table"
    return max(fitting, key=len)


def imports_of(path: Path, within_functions: bool = True) -> set[str]:
    found = set()
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree) if within_functions else tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names if is_module(node.module, alias.name)}
    return found


def is_module(package: str, name: str) -> bool:
    path = ROOT / package.replace(".", "/") / name
    return path.is_dir() or path.with_suffix(".py").exists()


def is_ours(module: str) -> bool:
    return module.split(".")[0] in {"humanparse", "training", "benchmarks", "reference", "app", "utils", "tests"}


def within(module: str, room: str) -> bool:
    return module == room or module.startswith(room + ".")


@pytest.mark.parametrize("path", sources(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_room_imports_only_its_neighbours(path: Path) -> None:
    allowed = TABLE[room_of(path)]
    banned = {name[1:] for name in allowed if name.startswith("!")}
    for module in filter(is_ours, imports_of(path)):
        if module == "humanparse" and path.name != "__init__.py":
            continue  # the version, or a name that is checked as its own module
        assert any(within(module, name) for name in allowed), f"{path} may not import {module}"
        assert not any(within(module, name) for name in banned), f"{path} may not import {module}"


def test_the_tree_in_the_documents_has_every_room() -> None:
    """What a stranger finds in the folder stands in docs/architecture.md with what it is."""
    tree = (ROOT / "docs" / "architecture.md").read_text().split("```")[1]
    rooms = {path.name for path in (ROOT / "humanparse").glob("[!_]*") if path.suffix == ".py"}
    rooms |= {f"{path.parent.name}/" for path in (ROOT / "humanparse").glob("*/__init__.py")}
    named = set(re.findall(r"[a-z_.]+\.py|[a-z_]+/", tree))
    assert rooms - named == set()
    files = {path.name for path in (*ROOT.glob("*.py"), *(ROOT / "humanparse").rglob("*.py"))}
    assert {name for name in named if name.endswith(".py")} - files == set()


def test_every_edge_of_the_table_is_taken() -> None:
    """Else the table says more than is so, and an edge may come back without a decision."""
    taken = {room: {room.removesuffix(".py").replace("/", ".")} for room in TABLE}
    for path in sources():
        taken[room_of(path)] |= set(filter(is_ours, imports_of(path)))
    for room, allowed in TABLE.items():
        for name in allowed:
            assert name.startswith("!") or any(within(module, name) for module in taken[room]), (
                f"{room} needs no {name}"
            )


@pytest.mark.parametrize("path", sources(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_only_web_and_app_know_http(path: Path) -> None:
    if room_of(path) not in {"humanparse/web", "app.py", "benchmarks"}:
        assert not {module.split(".")[0] for module in imports_of(path)} & HTTP


def test_nothing_that_serves_needs_torch() -> None:
    for path in sources():
        if path.relative_to(ROOT).as_posix().startswith(NO_TORCH):
            if path.parent.name == "m2fp" and path.stem in TORCH_ROOMS:
                continue
            if path.parent.name == "general" and path.stem == "network":  # for the conversion, in its own process
                continue
            at_start = imports_of(path, within_functions=False)
            assert "torch" not in {module.split(".")[0] for module in at_start}, path


def test_what_only_some_settings_need_is_not_imported_without_them() -> None:
    script = (
        "import sys; from app import create_app; from humanparse.config import Settings; create_app(Settings());"
        "print([m for m in ('av', 'celery', 'flask_limiter', 'kombu', 'redis') if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_numba_comes_with_the_first_effect_that_needs_it() -> None:
    script = (
        "import sys; from app import create_app; from humanparse.config import Settings; create_app(Settings());"
        "print('numba' in sys.modules, 'torch' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "False False"


def test_the_service_never_imports_training() -> None:
    for path in sources():
        if path.is_relative_to(ROOT / "humanparse"):
            assert not any(within(module, "training") for module in imports_of(path)), path


def test_only_config_reads_the_environment() -> None:
    for path in sources():
        # cpu.py reads what oneDNN was told, which is no setting of ours
        if path.is_relative_to(ROOT / "humanparse") and path.name not in ("config.py", "cpu.py"):
            assert not re.search(r"os\.environ|\bgetenv|import environ", path.read_text()), path
