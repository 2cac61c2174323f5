"""A process of its own for readers of hostile or native formats: limited, and a crash of it is one refused delivery."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

from jobs.readers import Read, Request
from schemas.errors import UserError

PR_SET_PDEATHSIG = 1  # linux/prctl.h
ROOT = Path(__file__).resolve().parents[2]
# One thread a library: the address space stays small, and the engine beside it keeps its cores.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system",
              "PYTHONUNBUFFERED": "1", "HDF5_USE_FILE_LOCKING": "FALSE"}  # fmt: skip

# Connections are variables of any name, so that only these are handed on.
KNOWN = ("PATH", "HOME", "TMPDIR", "TZ", "LANG", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Limits:
    """What one delivery may use: address space and largest file in bytes, CPU and wall time in seconds."""

    memory: int = 4 << 30
    file: int = 16 << 30
    cpu: int = 900
    wall: float = 1800.0


@dataclass
class _Child:
    process: subprocess.Popen[bytes]
    errors: IO[bytes]


def read_caged(format: str, requests: Sequence[Request], limits: Limits = Limits()) -> list[Read | UserError]:
    """Read deliveries in turn in one process; after a crash, kill or time-out the next ones get a new one."""
    tasks = [_task("read", format, request) for request in requests]
    return [_result(answer) for answer in _answers(tasks, limits)]


def write_caged(
    format: str, requests: Sequence[Request], targets: Sequence[Mapping[str, Any]], limits: Limits = Limits()
) -> list[dict[str, Any] | UserError]:
    """Write a share of each delivery as rows of its table, in one process; see jobs/readers/direct.py."""
    return _targeted("write", format, requests, targets, limits)


def sums_caged(
    format: str, requests: Sequence[Request], sums: Mapping[str, Any], limits: Limits = Limits()
) -> list[dict[str, Any] | UserError]:  # fmt: skip
    """Add up columns of each delivery, in one process; see jobs/readers/direct_rows.py."""
    return _targeted("sums", format, requests, [sums] * len(requests), limits)


def _targeted(
    verb: str, format: str, requests: Sequence[Request], targets: Sequence[Mapping[str, Any]], limits: Limits
) -> list[dict[str, Any] | UserError]:  # fmt: skip
    tasks = [_task(verb, format, request) for request in requests]
    for task, target in zip(tasks, targets, strict=True):
        task["request"]["target"] = dict(target)
    answers = _answers(tasks, limits)
    return [UserError(**answer["error"]) if "error" in answer else answer["result"] for answer in answers]


def patch_caged(format: str, path: Path, name: str, changes: Mapping[str, Any], limits: Limits = Limits()) -> None:
    """Write changed cells into a file; see jobs/readers/pack.py."""
    task = _task("patch", format, Request(path, path.parent, 0, name, {}))
    task["request"]["target"] = dict(changes)
    if "error" in (answer := _answers([task], limits)[0]):
        raise UserError(**answer["error"])


def probe_caged(format: str, path: Path, options: Mapping[str, Any], limits: Limits = Limits()) -> dict[str, Any]:
    """Say what is inside a file of a hostile format."""
    request = Request(path, path, 0, path.name, options)
    answer = next(iter(_answers([_task("probe", format, request)], limits)))
    if "error" in answer:
        raise UserError(**answer["error"])
    found: dict[str, Any] = answer["result"]
    return found


def unpack_caged(
    path: Path, out: Path, patterns: Sequence[str], name: str, format: str = "", limits: Limits = Limits()
) -> dict[str, str]:  # fmt: skip
    """Unpack members of an archive into a folder; return their names with those of the files. Raise UserError."""
    request = Request(path, out, 0, name, {"members": list(patterns)})
    answer = next(iter(_answers([_task("unpack", format, request)], limits)))
    if "error" in answer:
        raise UserError(**answer["error"])
    found: dict[str, str] = answer["result"]
    return found


def _task(verb: str, format: str, request: Request) -> dict[str, Any]:
    body = asdict(request) | {"path": str(request.path.absolute()), "out": str(request.out.absolute())}
    return {"verb": verb, "format": format, "request": body}


def _result(answer: dict[str, Any]) -> Read | UserError:
    if "error" in answer:
        return UserError(**answer["error"])
    found = answer["result"]
    return Read(**(found | {"columns": tuple(found["columns"])}))


def _answers(tasks: Sequence[dict[str, Any]], limits: Limits) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    while len(answers) < len(tasks):
        with _started(limits) as child:
            for task in tasks[len(answers) :]:
                answer = _ask(child, task, limits)
                answers.append(answer)
                if child.process.poll() is not None:
                    break
    return answers


def _environment() -> dict[str, str]:
    """Return what a child may know: who reads files of strangers gets no key to the lake, nor to any source."""
    kept = {name: value for name, value in os.environ.items() if name in KNOWN or name.startswith(("LC_", "PYTHON"))}
    return {**kept, **ONE_THREAD}


@contextmanager
def _started(limits: Limits) -> Iterator[_Child]:
    """Start a fresh interpreter; it inherits no thread, no engine and no open file."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "jobs.readers.cage", json.dumps(asdict(limits))], cwd=ROOT, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=_environment(),
        )  # fmt: skip
        try:
            yield _Child(process, errors)
        finally:
            process.kill()
            process.communicate()


def _ask(child: _Child, task: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """Send one task and wait for its answer; a child that gives none is stopped."""
    assert child.process.stdin and child.process.stdout
    try:
        child.process.stdin.write(json.dumps(task, default=str).encode() + b"\n")
        child.process.stdin.flush()
    except BrokenPipeError:
        return _failed(task, _ended(child))
    with selectors.DefaultSelector() as waiting:
        waiting.register(child.process.stdout, selectors.EVENT_READ)
        if not waiting.select(limits.wall):
            child.process.kill()
            child.process.wait()
            return _failed(task, f"reading took longer than {limits.wall:g} s and was stopped")
    line = child.process.stdout.readline()
    return json.loads(line) if line else _failed(task, _ended(child))


def _ended(child: _Child) -> str:
    """Say how the process ended: the signal, or the last line it wrote."""
    code = child.process.wait()
    if code == -signal.SIGXCPU:
        return "reading took more CPU time than a delivery may"
    if code == -signal.SIGALRM:
        return "reading took longer than a delivery may"
    if code < 0:
        return f"the reader crashed ({signal.Signals(-code).name})"
    child.errors.seek(0)
    last = child.errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
    return f"the reader ended with code {code}: {''.join(last)[:200]}"


def _failed(task: dict[str, Any], what: str) -> dict[str, Any]:
    remedy = "the file is damaged, or too large for the limits of one delivery; the other deliveries go on"
    return {"error": {"what": what, "where": task["request"]["name"], "remedy": remedy}}


def main() -> None:
    """Answer tasks from stdin, one JSON a line, until it closes. Runs in the child only."""
    limits = Limits(**json.loads(sys.argv[1]))
    _die_with_parent()
    sys.meta_path.insert(0, SimpleNamespace(find_spec=_without_pandas))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file, limits.file))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Libraries may print; the answers go through a descriptor of their own.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        _allow(limits)
        print(json.dumps(_answer(json.loads(line)), default=str), file=answers, flush=True)
        signal.alarm(0)


def _without_pandas(name: str, *more: object) -> None:
    """Keep Arrow from importing pandas, 70 MB and half a second, to see whether an array is one of its; no reader has such."""
    if name == "pandas":
        raise ModuleNotFoundError(name)


def _die_with_parent() -> None:
    """End when the build that asked is killed, so that no orphan writes beside the next build's reader (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _allow(limits: Limits) -> None:
    """Give the next delivery its share of time; the alarm holds even if the parent has gone."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + limits.cpu + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))
    signal.alarm(int(limits.wall) + 1)


def _answer(task: dict[str, Any]) -> dict[str, Any]:
    from jobs.readers.caged import perform

    name = task["request"]["name"]
    try:
        return {"result": perform(task["verb"], task["format"], task["request"])}
    except UserError as error:
        return {"error": {"what": error.what, "where": error.where or name, "remedy": error.remedy}}
    except MemoryError:
        return _failed(task, "reading took more memory than a delivery may")
    except Exception as error:  # noqa: BLE001
        # Whatever a library makes of a damaged file: it is this delivery that can't be read.
        return _failed(task, f"can't be read: {type(error).__name__}: {str(error)[:300]}")


if __name__ == "__main__":
    main()
