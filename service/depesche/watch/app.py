"""The watcher put together: the state and its lock, connections, signals, the log."""

import asyncio
import fcntl
import logging
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import structlog

from depesche.errors import DepescheError
from depesche.watch.config import FolderTarget, Plan, Webhook
from depesche.watch.deliver import Folder, Post, Target
from depesche.watch.jobs import Briefer, Jobs
from depesche.watch.runner import Runner
from depesche.watch.state import State
from depesche.watch.waiting import Clock, SystemClock

__all__ = ["make_target", "opened", "watch"]

_log = structlog.stdlib.get_logger("depesche.watch")


@contextmanager
def opened(path: Path) -> Iterator[State]:
    """Have a state for oneself.

    Raises:
        DepescheError: another process has it, or it can't be used.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A file of its own: SQLite's own locks would go with any descriptor that is closed.
        descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DepescheError(f"{path}: can't be used: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        state = State(str(path))
    except BlockingIOError:
        os.close(descriptor)
        raise DepescheError(f"{path}: another process watches with it") from None
    except sqlite3.Error as error:
        os.close(descriptor)
        raise DepescheError(f"{path}: can't be used: {error}") from error
    try:
        yield state
    finally:
        state.close()
        os.close(descriptor)


async def watch(
    plan: Plan,
    state: State,
    briefer: Briefer,
    *,
    once: bool = False,
    retry_dead: bool = False,
    clock: Clock | None = None,
) -> bool:
    """Watch until told to stop by SIGTERM or SIGINT or, `once`, until all is done.

    Args:
        plan: what is watched and where briefs go.
        state: what is remembered.
        briefer: who briefs.
        once: whether each source is looked at once.
        retry_dead: whether deliveries that were given up are tried again.
        clock: tells the time; by default the machine's.

    Returns:
        Whether nothing went wrong that an operator should know.

    Raises:
        ConfigurationError: a secret is missing, or isn't one.
    """
    # It would tell addresses, which may hold secrets.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    clock = clock or SystemClock()
    if retry_dead:
        _log.info("tries again", deliveries=state.revive(clock.now()))
    async with httpx2.AsyncClient(timeout=plan.tuning.timeout) as web:
        targets = {
            target.name: make_target(target, plan, state, web, clock) for target in plan.targets
        }
        jobs = Jobs(plan, state, briefer, web, targets, clock)
        runner = Runner(plan, state, jobs, clock, once=once)
        with _signals(runner):
            _log.info("watching", sources=len(plan.sources), targets=len(targets))
            is_well = await runner.run()
    _log.info("stopped", **state.counts(), given_up_now=jobs.died)
    return is_well


def make_target(
    target: FolderTarget | Webhook, plan: Plan, state: State, web: httpx2.AsyncClient, clock: Clock
) -> Target:
    """Make what brings briefs to a target.

    Raises:
        ConfigurationError: its secret is missing, or isn't one.
    """
    if isinstance(target, FolderTarget):
        return Folder(target, state)
    return Post(target, web, clock, plan.tuning.timeout)


@contextmanager
def _signals(runner: Runner) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, runner.stop)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
