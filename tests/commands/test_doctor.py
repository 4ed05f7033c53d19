"""The command: exit code, text, JSON; what to set."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from humanparse import __main__ as command_line
from humanparse.commands import doctor as command
from humanparse.config import Settings
from humanparse.doctor.findings import BROKEN, OK, WARN, Finding
from humanparse.errors import ConfigError
from humanparse.memory import Limit

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environ(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("results_dir", "jobs_dir", "cache_dir"):
        monkeypatch.setenv(f"HUMANPARSE_{name.upper()}", str(getattr(settings, name)))


def doctor(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = command_line.main(["doctor", *arguments])
    return code, capsys.readouterr().out


@pytest.mark.usefixtures("environ")
def test_as_json_it_says_what_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = doctor(capsys, "--json", "--quick")
    report: dict[str, Any] = json.loads(out)
    names = [finding["name"] for finding in report["findings"]]
    assert (code, report["ok"]) == (0, True)
    assert {"settings", "cpu", "cores", "memory", "versions", "parser compact", "formats", "workers"} <= set(names)
    assert set(report["suggested"]) == {"HUMANPARSE_WORKERS", "HUMANPARSE_THREADS"}
    Settings.from_env(report["suggested"])


@pytest.mark.usefixtures("environ")
def test_what_is_broken_gives_another_exit_code_and_advice(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUMANPARSE_PARSER", "m2fp")
    monkeypatch.setenv("HUMANPARSE_M2FP_DIR", "/nowhere")
    code, out = doctor(capsys, "--quick")
    assert code == 1
    line = next(line for line in out.splitlines() if "parser m2fp" in line)
    assert line.startswith("broken")
    assert "-> Fetch it" in out
    assert out.splitlines()[-1].startswith("1 broken")


@pytest.mark.usefixtures("environ")
def test_a_setting_that_is_refused_is_a_finding_and_the_rest_is_looked_at(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUMANPARSE_PORT", "many")
    code, out = doctor(capsys, "--json", "--quick")
    first, *others = json.loads(out)["findings"]
    assert (code, first["state"]) == (1, BROKEN)
    assert "HUMANPARSE_PORT" in first["says"]
    assert len(others) > 8


@pytest.mark.usefixtures("environ")
def test_a_parser_that_there_is_not_is_a_setting_that_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUMANPARSE_PARSER", "magic")
    code, out = doctor(capsys, "--quick")
    assert code == 1
    assert "broken  settings" in out and "HUMANPARSE_PARSER is 'magic'" in out


def test_workers_that_do_not_fit_are_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    heavy = Finding("parser m2fp", OK, "", "", {"default": True, "most_bytes": 2_000_000_000})
    monkeypatch.setattr(command, "memory_limit", lambda: Limit(8_000_000_000, 0, "cgroup"))
    monkeypatch.setattr(command, "usable_cores", lambda: 8)
    assert command._check_workers([heavy], 3, 2).state == OK
    tight = command._check_workers([heavy], 4, 2)
    assert (tight.state, "HUMANPARSE_WORKERS to 3" in tight.advice) == (WARN, True)
    assert command._check_workers([], 4, 4).state == WARN  # sixteen threads on eight cores
    del settings


def test_a_broken_machine_does_not_stop_the_looking(settings: Settings) -> None:
    def refuse() -> Settings:
        raise ConfigError("no")

    refused, _ = command.examine(refuse, measure=False)
    allowed, _ = command.examine(lambda: replace(settings), measure=False)
    assert [finding.name for finding in refused][:5] == [finding.name for finding in allowed][:5]


@pytest.mark.usefixtures("environ")
def test_the_whole_command_measures() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "humanparse", "doctor", "--json"], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    compact = next(each for each in json.loads(ended.stdout)["findings"] if each["name"] == "parser compact")
    assert compact["facts"]["photo_ms"] > 0
