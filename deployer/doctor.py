"""What this machine has and lacks for each way of running."""

import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deployer import debian, docker_engine, java, machine
from deployer.clusters import context
from deployer.errors import CommandError
from deployer.machine import Finding
from deployer.paths import cache

DEMO_MEMORY = 2 * machine.GIB
DEMO_DISK = 2 * machine.GIB

Examination = Mapping[str, Sequence[Finding]]
"""Way of running -> what was found."""


def examine() -> Examination:
    """Look at everything; nothing is changed."""
    return {
        "./run_kube demo": (
            Finding("Python", platform.python_version()),
            _java(),
            machine.memory(DEMO_MEMORY),
            machine.disk("cache folder", cache(), DEMO_DISK),
        ),
        "./run_kube up": (
            _docker(),
            _cgroups(),
            machine.processors(),
            machine.memory(machine.CLUSTER_MEMORY),
            machine.disk("Docker's disk", docker_engine.data_folder(), machine.BUILD_DISK),
            machine.disk("cache folder", cache(), machine.BUILD_DISK),
            *(_program(name) for name in ("kind", "kubectl", "helm", "go")),
        ),
        "./run_kube up --context": (_contexts(),),
    }


def described(examination: Examination) -> str:
    """The findings for a person to read."""
    lines = []
    for way, findings in examination.items():
        lacks = sum(bool(finding.remedy) for finding in findings)
        lines.append(f"{way}: {f'{lacks} to mend' if lacks else 'ready'}")
        for finding in findings:
            lines.append(f"  {'✗' if finding.remedy else '✓'} {finding.subject:<14} {finding.found}")
            if finding.remedy:
                lines.append(f"    {finding.remedy}")
    return "\n".join(lines)


def as_json(examination: Examination) -> dict[str, Any]:
    return {way: [asdict(finding) for finding in findings] for way, findings in examination.items()}


def _java() -> Finding:
    home = java.find()
    if home:
        return Finding("Java", str(home))
    if debian.may_install():
        return Finding("Java", "missing; installed when it is needed")
    return Finding("Java", "missing", f"Install Java {java.OLDEST} or newer (Debian, Ubuntu: {java.PACKAGES[1]}).")


def _docker() -> Finding:
    complaint = docker_engine.complaint()
    if complaint is None:
        return Finding("Docker Engine", "answers")
    remedy = docker_engine.remedy(complaint)
    return (
        Finding("Docker Engine", complaint, remedy)
        if remedy
        else Finding("Docker Engine", "installed and started by up")
    )


def _cgroups() -> Finding:
    version = 2 if Path("/sys/fs/cgroup/cgroup.controllers").exists() else 1
    return Finding("cgroups", f"version {version}")


def _program(name: str) -> Finding:
    found = shutil.which(name)
    return Finding(name, found or "not on the PATH; downloaded or built where it is needed")


def _contexts() -> Finding:
    """The user's own clusters; needs the user's own kubectl, for it is they who have them."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        return Finding(
            "contexts", "none", "Install kubectl and make a context for your cluster (kubectl config set-context)."
        )
    try:
        names = context.contexts(kubectl)
    except CommandError as error:
        return Finding("contexts", "unknown", str(error))
    if not names:
        where = os.environ.get("KUBECONFIG") or "~/.kube/config"
        return Finding("contexts", "none", f"Make a context for your cluster in {where} (kubectl config set-context).")
    return Finding("contexts", ", ".join(names))
