"""The algorithm of Kubernetes' HorizontalPodAutoscaler, for replays of the service's metrics.

Written from the documentation, with the section that it follows named at each part:

- https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/
- https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/ for the
  defaults of the flags `--horizontal-pod-autoscaler-…`
- https://keda.sh/docs/latest/reference/scaledobject-spec/ for what KEDA adds: its triggers are
  External metrics of an HPA that it makes.

Times are seconds of any one clock.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["DEFAULT_DOWN", "DEFAULT_UP", "Autoscaler", "Pod", "Policy", "Rules", "Target", "Value"]

SYNC_SECONDS = 15.0
"""`--horizontal-pod-autoscaler-sync-period`."""

_TOLERANCE = 0.1
"""`--horizontal-pod-autoscaler-tolerance`."""

_CPU_INITIALISATION = 300.0
"""`--horizontal-pod-autoscaler-cpu-initialization-period`."""

_READINESS_DELAY = 30.0
"""`--horizontal-pod-autoscaler-initial-readiness-delay`."""


@dataclass(frozen=True, slots=True)
class Value:
    """A pod's value of a metric.

    Attributes:
        value: the value; for CPU the use as a share of the request, from 0.
        at: when it was measured.
        window: seconds before that which it covers.
    """

    value: float
    at: float = 0.0
    window: float = 0.0


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that isn't being deleted, as the controller sees it.

    Attributes:
        started: when its containers were started, or None while it is pending.
        ready: whether it is ready.
        changed: when `ready` last changed.
        values: its metrics by name; one that isn't there is missing.
    """

    started: float | None
    ready: bool = True
    changed: float = 0.0
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """A metric and what it should be.

    Attributes:
        name: the metric.
        value: what each pod should have of it on average.
        kind: `Resource` for CPU, whose values of young pods are set aside; `Pods` for a custom
            metric of pods; `External` for one number that all pods share, with AverageValue.
    """

    name: str
    value: float
    kind: Literal["Resource", "Pods", "External"]


@dataclass(frozen=True, slots=True)
class Policy:
    """How many pods may come or go in a period ("Scaling policies").

    Attributes:
        kind: whether `value` is a number of pods or a share of them.
        value: pods, or percent.
        period: seconds.
    """

    kind: Literal["Pods", "Percent"]
    value: int
    period: float


@dataclass(frozen=True, slots=True)
class Rules:
    """How scaling behaves in one direction ("Configurable scaling behavior").

    Attributes:
        window: stabilisation window in seconds.
        policies: of which `select` takes the one with the largest or the smallest change.
        select: `Max`, `Min`, or `Disabled` for no scaling in this direction.
    """

    window: float
    policies: tuple[Policy, ...]
    select: Literal["Max", "Min", "Disabled"] = "Max"


DEFAULT_UP = Rules(0, (Policy("Percent", 100, 15), Policy("Pods", 4, 15)))
"""What a HorizontalPodAutoscaler does that names no `behavior` ("Default Behavior")."""

DEFAULT_DOWN = Rules(300, (Policy("Percent", 100, 15),))
"""As `DEFAULT_UP`, for going down."""


class Autoscaler:
    """One HorizontalPodAutoscaler and what the controller remembers of it."""

    def __init__(
        self,
        targets: Sequence[Target],
        least: int,
        most: int,
        up: Rules = DEFAULT_UP,
        down: Rules = DEFAULT_DOWN,
        tolerance: float = _TOLERANCE,
    ) -> None:
        """Begin with no history.

        Args:
            targets: the metrics; the one that asks for the most replicas wins.
            least: `minReplicas`, 1 or more.
            most: `maxReplicas`.
            up: how it scales up.
            down: how it scales down.
            tolerance: by how much a ratio may differ from 1 before anything is done.
        """
        self.targets = targets
        self._least, self._most = least, most
        self._up, self._down = up, down
        self._tolerance = tolerance
        self._proposals: list[tuple[float, int]] = []
        self._changes: list[tuple[float, int]] = []

    def sync(
        self,
        now: float,
        replicas: int,
        pods: Sequence[Pod],
        external: Mapping[str, float] | None = None,
    ) -> int:
        """Decide once, as the controller does every `SYNC_SECONDS`.

        Args:
            now: the time; later than at the call before.
            replicas: the scale target's `spec.replicas`.
            pods: its pods that aren't being deleted.
            external: totals of the External metrics; one that isn't there is missing.

        Returns:
            The replicas that there should be from now on.
        """
        proposals = [self._proposal(t, now, replicas, pods, external or {}) for t in self.targets]
        known = [proposal for proposal in proposals if proposal is not None]
        # "Algorithm details": with a metric missing, the others may scale up and not down.
        if not known or (len(known) < len(proposals) and max(known) < replicas):
            return replicas
        desired = self._stabilised(now, replicas, max(known))
        desired = self._limited(now, replicas, desired)
        if desired != replicas:
            self._changes.append((now, desired - replicas))
        return desired

    def _proposal(
        self,
        target: Target,
        now: float,
        replicas: int,
        pods: Sequence[Pod],
        external: Mapping[str, float],
    ) -> int | None:
        """Tell how many replicas one metric asks for, or None where it is missing."""
        if target.kind == "External":
            total = external.get(target.name)
            if total is None:
                return None
            ratio = total / (target.value * replicas)
            return replicas if self._is_near(ratio) else math.ceil(total / target.value)
        values, missing, unready = self._groups(target, now, pods)
        if not values:
            return None
        ratio = _ratio(values, target.value)
        up = ratio > 1
        if not missing and not (unready and up):
            return replicas if self._is_near(ratio) else math.ceil(ratio * len(values))
        # "Algorithm details": missing ones count for nothing on the way up and for the whole target
        # on the way down, and unready ones for nothing on the way up.
        values += [0.0 if up else target.value] * missing
        values += [0.0] * (unready if up else 0)
        again = _ratio(values, target.value)
        desired = math.ceil(again * len(values))
        if self._is_near(again) or (again > 1) != up or (desired > replicas) != up:
            return replicas
        return desired

    def _groups(
        self, target: Target, now: float, pods: Sequence[Pod]
    ) -> tuple[list[float], int, int]:
        """Part the pods' values from those that miss one, and from those that are set aside."""
        values: list[float] = []
        missing = unready = 0
        for pod in pods:
            value = pod.values.get(target.name)
            if pod.started is None:
                unready += 1
            elif value is None:
                missing += 1
            elif target.kind == "Resource" and _is_set_aside(pod, value, now):
                unready += 1
            else:
                values.append(value.value)
        return values, missing, unready

    def _is_near(self, ratio: float) -> bool:
        return abs(ratio - 1) <= self._tolerance + 1e-9

    def _stabilised(self, now: float, replicas: int, proposal: int) -> int:
        """Keep within what was proposed in the windows before ("Stabilization window")."""
        up = min([proposal, *(p for at, p in self._proposals if at > now - self._up.window)])
        down = max([proposal, *(p for at, p in self._proposals if at > now - self._down.window)])
        oldest = now - max(self._up.window, self._down.window)
        self._proposals = [entry for entry in self._proposals if entry[0] > oldest]
        self._proposals.append((now, proposal))
        return min(max(replicas, up), down)

    def _limited(self, now: float, replicas: int, desired: int) -> int:
        """Keep within the policies, and then within the bounds."""
        if desired > replicas:
            most = max(replicas, self._reach(now, replicas, self._up, 1))
            return min(desired, most, self._most)
        if desired < replicas:
            least = min(replicas, self._reach(now, replicas, self._down, -1))
            return max(desired, least, self._least)
        return min(max(desired, self._least), self._most)

    def _reach(self, now: float, replicas: int, rules: Rules, direction: int) -> int:
        """Tell how far the policies of a direction let the replicas go ("Scaling policies")."""
        if rules.select == "Disabled":
            return replicas
        reached = []
        for policy in rules.policies:
            before = replicas - sum(c for at, c in self._changes if at > now - policy.period)
            if policy.kind == "Pods":
                reached.append(before + direction * policy.value)
            elif direction > 0:
                reached.append(math.ceil(before * (1 + policy.value / 100) - 1e-9))
            else:
                reached.append(math.floor(before * (1 - policy.value / 100) + 1e-9))
        farthest = (rules.select == "Max") == (direction > 0)
        return max(reached) if farthest else min(reached)


def _ratio(values: Sequence[float], target: float) -> float:
    return sum(values) / len(values) / target


def _is_set_aside(pod: Pod, value: Value, now: float) -> bool:
    """Tell whether a pod's CPU says nothing yet ("Algorithm details").

    Within the initialisation period it must be ready, and measured for a whole window since; after
    it, only a pod that has never been ready is set aside.
    """
    started = pod.started or 0.0
    if now < started + _CPU_INITIALISATION:
        return not pod.ready or value.at < pod.changed + value.window
    return not pod.ready and pod.changed < started + _READINESS_DELAY
