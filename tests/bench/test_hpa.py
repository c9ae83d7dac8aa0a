"""The replayed autoscaler against what Kubernetes documents of it."""

import pytest
from hpa import DEFAULT_DOWN, DEFAULT_UP, Autoscaler, Pod, Policy, Rules, Target, Value

OPEN = Rules(0, (Policy("Pods", 1000, 15),))
"""Rules that bound nothing."""


def custom(name: str = "queued", value: float = 100) -> Target:
    return Target(name, value, "Pods")


def scaler(*targets: Target, up: Rules = OPEN, down: Rules = OPEN, most: int = 100) -> Autoscaler:
    return Autoscaler(targets or (custom(),), least=1, most=most, up=up, down=down)


def pods(*values: float | None, name: str = "queued") -> list[Pod]:
    """Make ready pods that started long ago; None stands for a value that is missing."""
    return [Pod(0.0, values={} if v is None else {name: Value(v)}) for v in values]


@pytest.mark.parametrize(
    ("values", "desired"),
    [
        ((200.0,) * 3, 6),  # twice the target doubles
        ((50.0,) * 4, 2),  # half of it halves
        ((110.0,) * 4, 4),  # within the tolerance of a tenth
        ((90.0,) * 4, 4),
        ((111.0,) * 4, 5),  # rounded up
        ((0.0, 200.0), 2),  # the average counts
        ((0.0,) * 4, 1),  # never below minReplicas
    ],
)
def test_replicas_follow_the_ratio(values: tuple[float, ...], desired: int) -> None:
    """The count times metric over target, rounded up, unless the ratio is close to 1."""
    assert scaler().sync(1000, len(values), pods(*values)) == desired


def test_the_metric_that_asks_for_most_wins() -> None:
    """Of several metrics the largest count is taken, whatever their order."""
    both = [Pod(0.0, values={"a": Value(200), "b": Value(10)})] * 2

    assert scaler(custom("a"), custom("b")).sync(0, 2, both) == 4
    assert scaler(custom("b"), custom("a")).sync(0, 2, both) == 4


def test_a_missing_metric_stops_the_way_down_alone() -> None:
    """With one metric unknown the others may ask for more replicas and not for fewer."""
    targets = (custom("known"), custom("unknown"))

    assert scaler(*targets).sync(0, 2, pods(200, 200, name="known")) == 4
    assert scaler(*targets).sync(0, 2, pods(50, 50, name="known")) == 2
    assert scaler(*targets).sync(0, 2, pods(50, 50, name="other")) == 2


@pytest.mark.parametrize(
    ("values", "desired"),
    [
        ((300.0, 300.0, None), 6),  # on the way up it counts as 0: 200 on average
        ((150.0, 150.0, None, None, None), 5),  # which would turn the way round
        ((50.0, 50.0, None), 2),  # on the way down as the target: 67 on average
        ((10.0, None, None, None), 4),  # 78 on average, and 3.1 rounded up
    ],
)
def test_missing_pods_damp(values: tuple[float | None, ...], desired: int) -> None:
    """Pods without a value are taken for what asks for the smaller change."""
    assert scaler().sync(0, len(values), pods(*values)) == desired


def test_pending_pods_damp_the_way_up() -> None:
    """Pods that aren't ready count as 0 where the others ask for more."""
    waiting = [Pod(None)] * 2

    assert scaler().sync(0, 4, [*pods(200, 200), *waiting]) == 4
    assert scaler().sync(0, 4, [*pods(600, 600), *waiting]) == 12
    assert scaler().sync(0, 4, [*pods(50, 50), *waiting]) == 1


def cpu_pod(started: float, changed: float, at: float, *, ready: bool = True) -> Pod:
    return Pod(started, ready, changed, {"cpu": Value(1.4, at, window=30)})


@pytest.mark.parametrize(
    ("young", "desired"),
    [
        (cpu_pod(started=900, changed=910, at=990), 4),  # measured for a window since it is ready
        (cpu_pod(started=900, changed=970, at=990), 2),  # not yet: counts as 0
        (cpu_pod(started=900, changed=900, at=990, ready=False), 2),
        (cpu_pod(started=100, changed=120, at=990, ready=False), 2),  # never was ready
        (cpu_pod(started=100, changed=500, at=990, ready=False), 4),  # has been ready
    ],
)
def test_cpu_of_young_pods_is_set_aside(young: Pod, desired: int) -> None:
    """A pod's start takes CPU, and doesn't ask for more pods."""
    target = Target("cpu", 0.7, "Resource")
    settled = Pod(0.0, values={"cpu": Value(1.4, 990, 30)})

    assert scaler(target).sync(1000, 2, [settled, young]) == desired


def test_custom_metrics_of_young_pods_count() -> None:
    """Only CPU is set aside while a pod is young."""
    young = Pod(990, ready=False, changed=990, values={"queued": Value(200, 999)})

    assert scaler().sync(1000, 2, [*pods(200), young]) == 4


def test_an_external_total_is_shared_by_all_replicas() -> None:
    """With AverageValue the total over the target is what is wanted, outside the tolerance."""
    target = Target("total", 100, "External")

    assert scaler(target).sync(0, 2, [], {"total": 750}) == 8
    assert scaler(target).sync(0, 2, [], {"total": 215}) == 2
    assert scaler(target).sync(0, 2, [], {}) == 2


def test_bounds() -> None:
    """Neither above maxReplicas nor below minReplicas."""
    bounded = Autoscaler((custom(),), least=2, most=5, up=OPEN, down=OPEN)

    assert bounded.sync(0, 3, pods(900, 900, 900)) == 5
    assert bounded.sync(15, 5, pods(1, 1, 1, 1, 1)) == 2


def test_default_scale_up() -> None:
    """The larger of 4 pods and 100 % may come in 15 seconds."""
    autoscaler = scaler(up=DEFAULT_UP)

    assert autoscaler.sync(0, 2, pods(900, 900)) == 6
    assert autoscaler.sync(5, 6, pods(*[900.0] * 6)) == 6  # the period isn't over
    assert autoscaler.sync(20, 6, pods(*[900.0] * 6)) == 12


def test_default_scale_down_waits_for_the_window() -> None:
    """The highest of the proposals of five minutes counts on the way down."""
    autoscaler = scaler(down=DEFAULT_DOWN)
    assert autoscaler.sync(0, 8, pods(*[100.0] * 8)) == 8

    assert autoscaler.sync(150, 8, pods(*[50.0] * 8)) == 8
    assert autoscaler.sync(299, 8, pods(*[10.0] * 8)) == 8
    assert autoscaler.sync(301, 8, pods(*[10.0] * 8)) == 4  # as proposed at 150 seconds


def test_scale_up_window_takes_the_lowest() -> None:
    """A window on the way up lets short peaks pass."""
    autoscaler = scaler(up=Rules(60, OPEN.policies))
    autoscaler.sync(0, 2, pods(100, 100))

    assert autoscaler.sync(30, 2, pods(400, 400)) == 2
    assert autoscaler.sync(61, 2, pods(300, 300)) == 6
    assert scaler(up=Rules(60, OPEN.policies)).sync(0, 2, pods(400, 400)) == 8


def test_percent_on_the_way_down_follows_the_documented_example() -> None:
    """From 80 replicas ten percent a minute is 8, then 8 of 72, as 7.2 is rounded up."""
    policies = (Policy("Pods", 4, 60), Policy("Percent", 10, 60))
    autoscaler = scaler(down=Rules(0, policies))

    assert autoscaler.sync(0, 80, pods(*[1.0] * 80)) == 72
    assert autoscaler.sync(30, 72, pods(*[1.0] * 72)) == 72
    assert autoscaler.sync(61, 72, pods(*[1.0] * 72)) == 64
    assert autoscaler.sync(122, 40, pods(*[1.0] * 40)) == 36


@pytest.mark.parametrize(("select", "desired"), [("Max", 30), ("Min", 38), ("Disabled", 40)])
def test_select_policy(select: str, desired: int) -> None:
    """`Min` takes the policy with the smallest change, `Disabled` stops the direction."""
    policies = (Policy("Pods", 2, 60), Policy("Percent", 25, 60))
    down = Rules(0, policies, select)  # type: ignore[arg-type]  # parametrised

    assert scaler(down=down).sync(0, 40, pods(*[1.0] * 40)) == desired


def test_what_went_down_may_come_back_within_the_period() -> None:
    """Limits count from the replicas at the start of the period."""
    up = Rules(0, (Policy("Pods", 1, 60),))
    autoscaler = scaler(up=up)

    assert autoscaler.sync(0, 6, pods(*[50.0] * 6)) == 3
    assert autoscaler.sync(15, 3, pods(*[900.0] * 3)) == 7
