"""The verdict of a soak names growth, lateness and errors, and nothing where there is none."""

from dataclasses import replace

from tests.soak.verdict import Row, verdict

STEADY = [
    Row(30.0 * n, 100, 0, 0.05, 0.01, 0.0, 0.02, 0.03, 0, {"web-1": 110.0 + n % 3, "worker-1": 100.0})
    for n in range(1, 41)
]


def test_a_steady_service_passes() -> None:
    found = verdict(STEADY, ())
    assert found.faults == ()
    assert str(found).startswith(
        "PASS: 0.33 h, 4000 events, lag at most 50 ms, memory at most 112 MB a process"
    )


def test_growth_lateness_errors_and_findings_fail() -> None:
    grows = [replace(row, memory={"web-1": 110.0 + 2 * n, "worker-1": 100.0}) for n, row in enumerate(STEADY)]
    warms = [replace(row, memory={"web-1": min(200.0, 20.0 * n)}) for n, row in enumerate(STEADY)]
    late = [*STEADY[:5], replace(STEADY[5], lag=1.5), *STEADY[6:]]
    stands = [*STEADY[:5], replace(STEADY[5], behind=2.5), *STEADY[6:]]
    failed = [*STEADY[:5], replace(STEADY[5], errors=2), *STEADY[6:]]
    assert verdict(grows, ()).faults == ("web-1 grew from 139 to 179 MB",)
    assert verdict(warms, ()).faults == (), "a process that has started fills its caches"
    assert verdict(late, ()).faults == ("breaches up to 1.5 s late in 1 of 40 intervals",)
    assert verdict(stands, ()).faults == ("breaches up to 2.5 s late in 1 of 40 intervals",)
    assert verdict([replace(row, machine=0.6) for row in late], ()).faults == (), (
        "the machine itself was late"
    )
    assert verdict(failed, ("web-2 has ended",)).faults == ("2 errors", "web-2 has ended")
    assert verdict((), ()).faults == ("no interval was measured",)
