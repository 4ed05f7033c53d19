"""The dashboard and the alerts ask for what the running service tells, in sound PromQL."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from humanparse.client import ApiError, Client

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "humanparse.json").read_text())
OPERATIONS = (DEPLOY.parent / "docs" / "operations.md").read_text()
RULES = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"][0]["rules"]
ELSEWHERE = {"instance", "job"}  # labels that Prometheus adds


def expressions() -> list[str]:
    """Every query of alerts and dashboard, Grafana's variables filled in."""
    panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    filled = [expr.replace("$__rate_interval", "5m").replace("$instance", ".*") for expr in panels]
    return [rule["expr"] for rule in RULES] + filled


def selectors(node: Any) -> Iterator[Any]:
    """Every `name{matchers}` of a parsed query."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
        child = getattr(node, name, None)
        if child is not None:
            yield from selectors(child)
    for child in getattr(node, "args", None) or []:
        yield from selectors(child)


@pytest.fixture(scope="module")
def told(address: str, photo: bytes) -> dict[str, set[str]]:
    """Every sample of /metrics of a service that has seen a photo, one that came again, and none: name -> labels."""
    with Client(address) as client:
        client.parse(photo)
        client.parse(photo)
        with pytest.raises(ApiError):
            client.parse(b"no photo")
    with urllib.request.urlopen(f"{address}/metrics", timeout=30) as response:
        text = response.read().decode()
    names: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            names.setdefault(sample.name, set()).update(sample.labels)
    return names


@pytest.mark.parametrize("expr", expressions())
def test_every_metric_and_label_of_a_query_is_told(expr: str, told: dict[str, set[str]]) -> None:
    found = list(selectors(promql_parser.parse(expr)))
    assert [selector.name for selector in found] == re.findall(r"humanparse_\w+", expr)
    for selector in found:
        assert selector.name in told, expr
        assert {matcher.name for matcher in selector.matchers.matchers} <= told[selector.name] | ELSEWHERE, expr
    grouped = {word.strip() for group in re.findall(r"by \((.*?)\)", expr) for word in group.split(",")}
    assert grouped <= set().union(*(told[selector.name] for selector in found)) | ELSEWHERE, expr


def test_whatever_is_told_is_on_the_dashboard(told: dict[str, set[str]]) -> None:
    shown = " ".join(expressions())
    for name in told:
        assert re.sub(r"_(bucket|sum|count)$", "", name) in shown, name


def test_the_document_has_a_row_for_whatever_is_told_with_its_labels(told: dict[str, set[str]]) -> None:
    rows = re.findall(r"^\| (`humanparse_.*?) \| (.*?) ?\| ", OPERATIONS, re.MULTILINE)
    written = {
        name: set(re.findall(r"\w+", labels)) for names, labels in rows for name in re.findall(r"`(\w+)`", names)
    }
    families: dict[str, set[str]] = {}
    for name, labels in told.items():
        families.setdefault(re.sub(r"_(bucket|sum|count)$", "", name), set()).update(labels - {"le"})
    assert written == families


def test_the_document_names_the_thresholds_of_the_alerts() -> None:
    text = " ".join(OPERATIONS.split())
    assert "P99 of single photos above 1.5 s for 5 minutes, more than 5 % of the requests failing for 5 minutes" in text
    assert "took more than 3 s to load, more than 80 % of the memory taken for 5 minutes" in text


def test_the_alerts_are_those_that_were_asked_for() -> None:
    asked = {
        "HumanparseSlow": "1.5",
        "HumanparseErrors": "0.05",
        "HumanparseModelLoadSlow": "3",
        "HumanparseMemory": "0.8",
    }
    found = {rule["alert"]: rule for rule in RULES}
    for name, threshold in asked.items():
        assert found[name]["expr"].split()[-2:] == [">", threshold]
    assert found["HumanparseErrors"]["for"] == "5m"
    edges = [1.5]  # of the histogram: the quantile that the alert compares is exact there
    from humanparse.metrics import REQUEST_SECONDS

    assert set(edges) <= set(REQUEST_SECONDS._kwargs["buckets"])


@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml"), ("check", "config", "prometheus.yml")],
    ids=" ".join,
)
def test_prometheus_own_tool_is_content(arguments: tuple[str, ...]) -> None:
    program = shutil.which("promtool")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("promtool is not installed; .ci/run installs it", pytrace=False)
        pytest.skip("promtool is not installed (Debian: apt-get install prometheus)")
    ended = subprocess.run([program, *arguments], cwd=DEPLOY / "prometheus", capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "FAILED" not in ended.stdout


def test_every_alert_is_tested_to_fire() -> None:
    tests = yaml.safe_load((DEPLOY / "prometheus" / "alerts_test.yml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == {rule["alert"] for rule in RULES}


def test_the_dashboards_panels_do_not_overlap_and_have_their_own_ids() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
        assert panel["datasource"]["uid"] == "${datasource}"
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
