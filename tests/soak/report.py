"""What a soak found, as a table."""

from collections.abc import Iterator

from tests.soak.run import Findings, quantile
from tests.soak.vitals import FLAT, MEGABYTE, halves


def report(found: Findings) -> str:
    """All of it, for people; what is wrong comes last."""
    return "\n".join(
        (*_pages(found), *_vitals(found), *_lags(found), *_troubles(found), *_failures(found), *_problems(found))
    )


def _pages(found: Findings) -> Iterator[str]:
    yield f"{'pages':<24}{'number':>10}{'p50 ms':>10}{'p99 ms':>10}{'max ms':>10}"
    for name, times in (("calm", found.calm), ("fire", found.fire)):
        shares = (quantile(times, share) * 1000 for share in (0.5, 0.99, 1.0))
        yield f"{name:<24}{len(times):>10}" + "".join(f"{share:>10.1f}" for share in shares)
    yield f"p99 in the fire is {found.slower:.2f} times that of calm"
    yield f"Prometheus scraped {found.scrapes:g} times, the exporter read {found.reads:g} times"
    yield f"counted {found.counted} times, {found.compared} samples compared"


def _vitals(found: Findings) -> Iterator[str]:
    yield f"\n{'the process':<24}{'first half':>12}{'second half':>12}"
    for name in FLAT:
        unit = MEGABYTE if name == "memory" else 1
        yield f"{name:<24}" + "".join(f"{value / unit:>12.1f}" for value in halves(found.vitals, name))


def _lags(found: Findings) -> Iterator[str]:
    yield f"\n{'read after a change':<24}{'number':>10}{'p50 s':>10}{'max s':>10}"
    for (source, part), lags in sorted(found.lags.items()):
        yield f"{source + ' ' + part:<24}{len(lags):>10}{quantile(lags, 0.5):>10.2f}{max(lags):>10.2f}"


def _troubles(found: Findings) -> Iterator[str]:
    yield f"\n{'trouble':<24}{'times':>10}{'shows s':>10}{'clears s':>10}  (the slowest)"
    for name, times in found.seen.items():
        yield f"{name:<24}{len(times):>10}" + "".join(f"{max(each):>10.2f}" for each in zip(*times, strict=True))


def _failures(found: Findings) -> Iterator[str]:
    yield f"\n{'reads that failed':<36}{'times':>10}"
    yield from (f"{name:<36}{times:>10g}" for name, times in sorted(found.failures.items()))


def _problems(found: Findings) -> Iterator[str]:
    yield f"\n{len(found.problems)} problems"
    yield from found.problems
