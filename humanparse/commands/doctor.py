"""The `doctor` command: everything looked at, printed for people or programs, and what to set."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from humanparse.checks import read_settings
from humanparse.config import Settings
from humanparse.cpu import usable_cores
from humanparse.doctor import machine, service
from humanparse.doctor.findings import BROKEN, OK, WARN, Finding, size
from humanparse.errors import ConfigError
from humanparse.memory import memory_limit
from humanparse.workers import SHARE, plan


def define_doctor(doctor: argparse.ArgumentParser) -> None:
    doctor.add_argument("--json", action="store_true", help="for programs")
    doctor.add_argument("--quick", action="store_true", help="load no parser, measure nothing")
    doctor.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    findings, suggested = examine(read_settings, measure=not args.quick)
    broken = any(finding.state == BROKEN for finding in findings)
    if args.json:
        report = {"ok": not broken, "findings": [asdict(each) for each in findings], "suggested": suggested}
        print(json.dumps(report, indent=2))
    else:
        print(write_report(findings, suggested))
    return 1 if broken else 0


def examine(read_settings: Callable[[], Settings], measure: bool = True) -> tuple[list[Finding], dict[str, str]]:
    """Every finding, and the settings that fit this machine. Nothing that is broken stops the looking."""
    findings = []
    try:
        settings = read_settings()
        findings.append(Finding("settings", OK, "all are allowed"))
    except ConfigError as error:
        settings = Settings()
        findings.append(Finding("settings", BROKEN, error.message, "The rest is looked at with the defaults."))
    findings += [machine.check_cpu(), machine.check_cores(), machine.check_memory(), machine.check_versions()]
    findings += service.check_parsers(settings, measure)
    findings += [service.check_formats(), *service.check_folders(settings), *service.check_redis(settings)]
    findings.append(service.check_clients(settings))
    workers, threads, _ = plan(settings)
    findings.append(_check_workers(findings, workers, threads))
    return findings, {"HUMANPARSE_WORKERS": str(workers), "HUMANPARSE_THREADS": str(threads)}


def _check_workers(findings: list[Finding], workers: int, threads: int) -> Finding:
    """Do cores and memory suffice for as many workers as there will be?"""
    facts: dict[str, Any] = {"workers": workers, "threads": threads}
    says = f"{workers} with {threads} threads for the parser each"
    one = max((each.facts.get("most_bytes", 0) for each in findings if each.facts.get("default")), default=0)
    room = int(memory_limit().bytes * SHARE)
    if one:
        facts["memory_bytes"] = one * workers
        says += f", about {size(one * workers)} together at most"
    if one * workers > room:
        most = max(1, room // one)
        return Finding("workers", WARN, says, f"Too much for this memory: set HUMANPARSE_WORKERS to {most}.", facts)
    if workers * threads > usable_cores():
        advice = "More threads than cores: they wait for each other. Leave one of the two settings at 0."
        return Finding("workers", WARN, says, advice, facts)
    return Finding("workers", OK, says, "", facts)


def write_report(findings: list[Finding], suggested: dict[str, str]) -> str:
    """For people: a line for each finding, the advice below it, then what to set."""
    width = max(len(each.name) for each in findings)
    lines = []
    for each in findings:
        lines.append(f"{each.state:<6}  {each.name:<{width}}  {each.says}")
        if each.advice:
            lines.append(f"{'':<6}  {'':<{width}}  -> {each.advice}")
    lines += ["", "For this machine (what gunicorn.conf.py does by itself where they are not set):"]
    lines += [f"  {key}={value}" for key, value in suggested.items()]
    count = {state: sum(each.state == state for each in findings) for state in (BROKEN, WARN)}
    lines += ["", f"{count[BROKEN]} broken, {count[WARN]} to look at"]
    return "\n".join(lines)
