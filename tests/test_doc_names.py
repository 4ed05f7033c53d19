"""Whatever a document names is there: links, commands and their options, files, settings, addresses, codes."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import MapAdapter, RequestRedirect

from app import create_app
from humanparse.__main__ import _make_argument_parser
from humanparse.client import Client
from humanparse.config import Settings, describe_settings
from humanparse.web.errors import HTTP_CODES, STATUS

ROOT: Final = Path(__file__).parent.parent
DOCUMENTS: Final = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        ROOT / "training" / "README.md",
        ROOT / "reference" / "README.md",
        ROOT / "humanparse" / "parsers" / "compact" / "model" / "MODEL_CARD.md",
    ]
)
READMES: Final = ("README.md", "README.zh.md")
ROOMS: Final = ("benchmarks", "deploy", "docs", "humanparse", "reference", "static", "templates", "tests", "training")
WORDS: Final = ROOT / "translations"
THEIRS: Final = ("general_recognition_pipeline.py",)  # a file of modelscope's
OURS: Final = ("humanparse", "benchmarks", "training", "reference", "tests")
each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def prose(text: str) -> str:
    """A document without its fenced blocks."""
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """What GitHub calls the headings of a document."""
    headings = re.findall(r"^#+ (.*)$", prose(path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@each_document
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path.read_text())):
        if target.startswith(("http://", "https://")):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@each_document
def test_there_are_no_holes_and_no_dashes(path: Path) -> None:
    text = path.read_text()
    assert "@@" not in text.replace("\n@@ ", "")
    if path.name != "README.zh.md":
        assert not set("—–") & set(text)


def test_no_paragraph_stands_twice() -> None:
    paragraphs = Counter(
        " ".join(paragraph.split())
        for path in DOCUMENTS
        for paragraph in re.split(r"\n\s*\n", prose(path.read_text()))
        if len(paragraph) > 80 and not paragraph.startswith("    ")
    )
    assert [paragraph for paragraph, times in paragraphs.items() if times > 1] == []


def commands(path: Path) -> list[str]:
    """The commands of a document: indented, or between backticks; continued lines joined."""
    text = path.read_text().replace("\\\n", " ")
    if path.name == "extending.md":  # tests/test_extending.py runs its recipes, whose results are not here
        text = re.sub(r"^ {4}.*$", "", text, flags=re.MULTILINE)
    found = re.findall(r"^ {4,}(.*)$", text, re.MULTILINE) + re.findall(r"`([^`]+)`", prose(text))
    return [re.split(r"\s+# ", " ".join(command.split()))[0] for command in found]


@pytest.mark.parametrize("path", [*DOCUMENTS, ROOT / ".ci" / "run"], ids=lambda path: str(path.relative_to(ROOT)))
def test_targets_of_make_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    lines = path.read_text().splitlines() if path.name == "run" else commands(path)
    named = {line.split()[1] for line in lines if line.startswith("make ")}
    assert named <= targets


def test_every_benchmark_is_in_a_document() -> None:
    text = " ".join(path.read_text() for path in DOCUMENTS)
    for target in re.findall(r"^(bench[a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE):
        assert f"make {target}" in text, target


@each_document
def test_modules_that_are_run_exist_and_know_their_options(path: Path) -> None:
    for command in commands(path):
        module = re.search(rf"python -m (({'|'.join(OURS)})[\w.]*)", command)
        if module is None:
            continue
        options = re.findall(r"(--[a-z][a-z0-9-]*)", command)
        file = ROOT / f"{module[1].replace('.', '/')}.py"
        if module[1] == "humanparse":
            check_command(command)
        else:
            assert file.exists(), command
            assert all(f'"{option}"' in file.read_text() for option in options), command


def test_the_image_is_built_with_arguments_that_it_knows() -> None:
    known = set(re.findall(r"^ARG (\w+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    text = (ROOT / "docs" / "deployment.md").read_text()
    assert {"REQUIREMENTS", "M2FP"} <= set(re.findall(r"--build-arg (\w+)=", text)) <= known


def check_command(command: str) -> None:
    """A command of ours that the real reader of arguments takes; one that is only named must be there."""
    given = shlex.split(re.split(r" [<>] ", command.split("python -m humanparse")[1])[0])
    given = [word.strip("[]") for word in given if word != "..."]
    if "--help" in given:
        given.remove("--help")
    try:
        _make_argument_parser(given).parse_args(given)
    except SystemExit:
        if len(given) > 1:  # else a name alone: its arguments are told elsewhere
            raise
        with pytest.raises(SystemExit) as caught:
            _make_argument_parser(given).parse_args([*given, "--help"])
        assert caught.value.code == 0, command


@each_document
def test_files_that_are_named_exist(path: Path) -> None:
    there = {str(file.relative_to(ROOT)) for room in ROOMS for file in (ROOT / room).rglob("*")}
    there |= {str(file.relative_to(ROOT)) for file in WORDS.rglob("*.po")}
    there |= {file.name for file in ROOT.iterdir()}
    for name in re.findall(r"`([\w./-]+\.(?:py|md|sh|conf|yml|js|po|css))`", prose(path.read_text())):
        own = {str((folder / name).resolve().relative_to(ROOT)) for folder in (path.parent, ROOT) if ".." in name}
        assert name in THEIRS or any(file == name or file.endswith(f"/{name}") or file in own for file in there), name


def tree_of(name: str) -> str:
    """The tree that a document draws."""
    (tree,) = re.findall(r"^```text\n(.*?)^```", (ROOT / name).read_text(), re.MULTILINE | re.DOTALL)
    return str(tree)


@pytest.mark.parametrize("name", [*READMES, "docs/architecture.md"])
def test_the_tree_that_is_drawn_is_there(name: str) -> None:
    named = set(re.findall(r"(?<![\w/.])[a-z_0-9]+(?:\.py|\.conf\.py|/)(?=[\s,:;)]|$)", tree_of(name)))
    assert {"app.py", "utils.py", "humanparse/", "tests/", "web/"} <= named
    for path in named:
        assert (ROOT / path).exists() or list((ROOT / "humanparse").glob(f"**/{path}")), path


def test_the_readmes_say_the_same() -> None:
    """Both have the same links, the same commands and the same tree."""

    def parts(name: str) -> tuple[set[str], set[str], list[str]]:
        text = (ROOT / name).read_text()
        links = set(re.findall(r"\]\(([^)\s]+)\)", prose(text))) - set(READMES)
        own = {re.split(r"#", line)[0].strip() for line in re.findall(r"^ {4}(.*)$", prose(text), re.MULTILINE)}
        words = own | {word for word in re.findall(r"`([^`]+)`", prose(text)) if word.isascii()}
        return links, words, re.findall(r"[a-z_]+(?:\.py|/)", tree_of(name))

    first, second = (parts(name) for name in READMES)
    assert first == second


def test_the_picture_of_the_way_names_what_is_there() -> None:
    words = " ".join(re.findall(r">([^<]+)<", (ROOT / "docs" / "way.svg").read_text()))
    named = set(re.findall(r"[a-z_]+(?:/[a-z_]+)*(?:\.py\b|/)", words))
    assert len(named) > 20
    for path in named:
        assert (ROOT / "humanparse" / path).exists() or (ROOT / path).exists(), path


def test_every_room_is_in_the_tree_of_the_architecture() -> None:
    tree = tree_of("docs/architecture.md")
    for path in (ROOT / "humanparse").glob("*/__init__.py"):
        assert f"{path.parent.name}/" in tree
    for path in [*(ROOT / "humanparse").glob("[a-z]*.py"), *(ROOT / "humanparse" / "web").glob("[a-z]*.py")]:
        assert re.search(rf"(?<![a-z_]){path.name}", tree) or path.name.endswith("_operations.py"), path


@pytest.mark.parametrize("room", ["training", "reference"])
def test_a_rooms_own_document_has_a_row_for_every_file(room: str) -> None:
    text = (ROOT / room / "README.md").read_text()
    for path in (ROOT / room).glob("[a-z]*.py"):
        assert f"| `{path.name}` |" in text


def test_the_clients_methods_are_all_in_its_document() -> None:
    text = (ROOT / "docs" / "client.md").read_text()
    for name in (name for name in dir(Client) if not name.startswith("_")):
        assert re.search(rf"[`.]{name}[`(]", text) or name == "close", name


def test_every_document_can_be_reached_from_the_readme() -> None:
    found, waiting = set(), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            targets = re.findall(r"\]\(([^)#\s]+\.md)", path.read_text())
            waiting += [(path.parent / target).resolve() for target in targets if "://" not in target]
    assert set(DOCUMENTS) - found <= {ROOT / "CHANGELOG.md"}


@each_document
def test_settings_that_are_named_exist(path: Path) -> None:
    known = {key for key, _, _ in describe_settings()}
    named = set(re.findall(r"HUMANPARSE_[A-Z0-9_]*[A-Z0-9]", path.read_text()))
    assert named - known - {"HUMANPARSE_SERVICE_HOST"} == set()  # which Kubernetes would set


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MapAdapter]:
    """Of a service that asks for keys: it has an address more."""
    own = tmp_path_factory.mktemp("service")
    folders: dict[str, Any] = {f"{name}_dir": own / name for name in ("results", "jobs", "cache")}
    app = create_app(Settings(**folders, keys_file=own / "keys.json", decode="thread"))
    yield app.url_map.bind("localhost")
    app.extensions["humanparse"].jobs.runner.stop()


@each_document
def test_addresses_that_are_named_are_served(path: Path, routes: MapAdapter) -> None:
    for methods, address in re.findall(
        r"`((?:(?:GET|POST|DELETE)`?(?:, `)? ?)*)(/[a-z][\w./-]*)", prose(path.read_text())
    ):
        if address.startswith(("/dev/", "/etc/", "/data", "/tmp", "/srv")):
            continue
        for method in re.findall("[A-Z]+", methods) or ["GET", "POST"]:
            try:
                routes.match(address, method)
                break
            except MethodNotAllowed:
                assert not methods, f"{method} {address}"
            except (NotFound, RequestRedirect):
                pytest.fail(f"{address} is not served")


def test_every_address_for_programs_is_in_a_document(routes: MapAdapter) -> None:
    text = " ".join(path.read_text() for path in DOCUMENTS)
    rules = {re.sub(r"<\w+>", "ID", rule.rule) for rule in routes.map.iter_rules()}
    programs = {rule for rule in rules if rule.startswith("/api/")} | {"/predict", "/health", "/healthz", "/readyz"}
    programs |= {"/metrics", "/requests", "/requests.csv", "/openapi.json", "/docs", "/recognize", "/studio", "/enter"}
    assert programs <= rules
    for rule in programs:
        assert re.search(rf"{re.escape(rule)}(?![\w/])", text), rule


def test_the_makefile_lists_its_targets_that_are_no_files() -> None:
    text = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)[1].split()  # type: ignore[index]
    assert set(phony) == set(re.findall(r"^([a-z][a-z0-9-]*):", text, re.MULTILINE))


@each_document
def test_codes_stand_with_their_status(path: Path) -> None:
    known = {(str(status), cls.code) for cls, status in STATUS.items()}
    known |= {(str(status), code) for status, code in HTTP_CODES.items()} | {("500", "internal")}
    for status, code in re.findall(r"\b([45]\d\d) `([a-z_]+)`", path.read_text()):
        assert (status, code) in known, f"{status} {code}"
