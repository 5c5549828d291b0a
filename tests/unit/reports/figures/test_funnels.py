"""Do funnel plots and control charts show the limits of ``stats``, name outliers and hide suppressed values?"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from triple_aim.definitions.contracts import Publication
from triple_aim.errors import NothingToPublish, ProjectError
from triple_aim.release.publish import write_release
from triple_aim.reports.figures.control_chart import chart
from triple_aim.reports.figures.funnel_limits import LEVELS, compute_funnel
from triple_aim.reports.figures.funnel_plot import MOST_NAMES, funnel
from triple_aim.reports.figures.labels import label_points
from triple_aim.reports.selection import Selection, select_indicator
from triple_aim.stats import intervals
from triple_aim.stats.control_chart import xmr_limits
from triple_aim.stats.funnel import overdispersed_funnel, overdispersion, poisson_funnel, proportion_funnel

METHODS = {
    "crude": "crude_rate",
    "share": "proportion",
    "ratio": "indirectly_standardised_ratio",
    "euros": "indirectly_standardised_ratio",
    "standardised": "directly_standardised_rate",
}
PER = 1000.0
SIZES = np.geomspace(2_000, 400_000, 20)
#: Sixteen regions that differ a little more than by chance, then three far above the country and one far below.
DEVIATION = 1.5 * np.tile([1, -1], 8) * np.sqrt(0.01 / SIZES[:16])
COUNTS = np.rint(SIZES * np.r_[0.01 + DEVIATION, 0.012, 0.013, 0.014, 0.0042])
SUPPRESSED = 18  # the position of a suppressed region that would be an outlier


def of_method(indicator: str) -> pd.DataFrame:
    """Rows of one invented indicator: twenty regions and the country."""
    count, size = np.append(COUNTS, COUNTS.sum()), np.append(SIZES, SIZES.sum())
    is_ratio = METHODS[indicator] == "indirectly_standardised_ratio"
    value = 100 * (count / size) / (count[-1] / size[-1]) if is_ratio else PER * count / size
    limits = [value * limit / count for limit in intervals.poisson(count)]
    lower, upper = [np.full_like(value, np.nan)] * 2 if indicator == "euros" else limits
    shown = {"value": value, "lower": lower, "upper": upper, "numerator": count, "denominator": size}
    rows = pd.DataFrame(shown)
    rows.loc[SUPPRESSED] = np.nan
    rows = rows.assign(
        indicator_id=indicator,
        source="claims",
        region_type=["municipality"] * len(COUNTS) + ["nl"],
        region_code=[f"GM{at:04}" for at in range(len(COUNTS))] + ["NL01"],
        region_name=[f"Plaats {at}" for at in range(len(COUNTS))] + ["Nederland"],
        sex="all",
        age_group="all",
        segment_type="none",
        segment="all",
        status="published",
        reason="",
    )
    rows.loc[SUPPRESSED, "status"] = "suppressed"
    open_year = rows.assign(
        status=rows["status"].replace("published", "provisional"),
        reason="about 95 % of the euros of the year have been booked",
    )
    nowhere = rows[rows["region_type"] != "nl"]
    return pd.concat([rows.assign(period=2022), open_year.assign(period=2023), nowhere.assign(period=2021)])


@pytest.fixture(scope="module")
def counts(release: Path, promise: Publication, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The invented release with indicators of counts instead of its own."""
    marts = {mart.name: pq.read_table(release / f"{mart.name}.parquet") for mart in promise.marts}
    about = marts["indicators"].to_pandas().iloc[0].to_dict()
    own = {"unit_nl": "per 1.000 65-plussers", "unit_en": "per 1,000 persons 65 and over", "decimals": 1}
    rows = {
        "indicator_values": pd.concat([of_method(indicator) for indicator in METHODS]),
        "indicators": pd.DataFrame(
            [{**about, **own, "indicator_id": name, "methods": method} for name, method in METHODS.items()]
        ),
    }
    for name, frame in rows.items():
        schema = marts[name].schema.remove_metadata()
        complete = frame.reindex(columns=schema.names)
        marts[name] = pa.Table.from_pandas(complete, schema=schema, preserve_index=False)
    return write_release(tmp_path_factory.mktemp("counts"), "fedcba9876543210", marts, {}, {}).path


@pytest.fixture
def of(counts: Path, promise: Publication) -> Callable[[str], Selection]:
    return lambda indicator: select_indicator(counts, promise, indicator, "all", None)


def texts(svg: bytes) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg.decode())


def test_limits_are_those_of_the_statistics(of: Callable[[str], Selection]) -> None:
    rate, sizes = COUNTS.sum() / SIZES.sum(), np.array([3_000.0, 50_000.0])
    crude, share, ratio = (compute_funnel(of(name), "municipality", 2022) for name in ("crude", "share", "ratio"))
    for at, level in enumerate(LEVELS):
        for made, size, own in (
            (crude, sizes, poisson_funnel(sizes, rate, per=PER, level=level)),
            (share, sizes, proportion_funnel(sizes, rate, per=PER, level=level)),
            (ratio, sizes * rate, poisson_funnel(sizes * rate, per=100, level=level)),
        ):
            drawn = made.limits(size)[at]
            np.testing.assert_allclose([drawn.lower, drawn.upper], [own.lower, own.upper])
    # A ratio is drawn against its expected number, which no mart has.
    np.testing.assert_allclose(ratio.regions["exposure"], np.delete(SIZES, SUPPRESSED) * rate)


def test_overdispersed_limits_come_from_all_regions_that_are_shown(of: Callable[[str], Selection]) -> None:
    rate, size = COUNTS.sum() / SIZES.sum(), np.delete(SIZES, SUPPRESSED)
    spread = overdispersion(np.delete(COUNTS, SUPPRESSED), size, rate)
    made = compute_funnel(of("crude"), "municipality", 2022, overdispersed=True)
    assert made.phi == pytest.approx(spread.phi.item())
    own = overdispersed_funnel(size, rate, spread, per=PER, level=0.998)
    np.testing.assert_allclose(made.limits(size)[1].upper, own.upper)
    plain = compute_funnel(of("crude"), "municipality", 2022)
    assert (plain.limits(size)[1].upper < own.upper).all()


def test_a_suppressed_region_is_counted_and_not_drawn(
    counts: Path, promise: Publication, of: Callable[[str], Selection]
) -> None:
    made = compute_funnel(of("crude"), "municipality", 2022)
    assert made.hidden["region_code"].tolist() == [f"GM{SUPPRESSED:04}"]
    drawn = texts(funnel(counts, promise, "crude", "municipality", 2022))
    assert "1 van 20 gemeenten niet getoond: onderdrukt of zonder waarde." in drawn
    assert {text for text in drawn if "Plaats" in text} == {"Plaats 16", "Plaats 17", "Plaats 19"}


def test_a_funnel_has_dutch_and_english_texts(counts: Path, promise: Publication) -> None:
    dutch = texts(funnel(counts, promise, "share", "municipality", 2023))
    assert {
        "Vermijdbare sterfte onder 75",
        "per 1.000 65-plussers, gemeenten, 2023",
        "aantal 65-plussers (logaritmische schaal)",
        "99,8%-grenzen",
        "boven de 99,8%-grens (ongunstig)",
        "onder de 99,8%-grens (gunstig)",
        "voorlopig (open)",
        "Nederland: ongeveer 95% van de euro's van het jaar is geboekt.",
        "10.000",
    } <= set(dutch)
    assert any(re.fullmatch(r"Nederland \d+,\d", text) for text in dutch)
    assert "meermaals" in " ".join(dutch) and "overdispersie" not in " ".join(dutch)
    english = texts(funnel(counts, promise, "ratio", "municipality", 2022, "en", overdispersed=True))
    assert {"expected number (logarithmic scale)", "99.8% limits", "above the 99.8% limit (unfavourable)"} <= set(
        english
    )
    assert "Spiegelhalter" in " ".join(english) and "provisional (open)" not in english


@pytest.mark.parametrize("indicator", ["standardised", "euros"])
def test_a_funnel_of_anything_but_counts_is_refused(of: Callable[[str], Selection], indicator: str) -> None:
    with pytest.raises(
        ProjectError, match="crude_rate, proportion, indirectly_standardised_ratio of counts"
    ) as refused:
        compute_funnel(of(indicator), "municipality", 2022)
    assert len(str(refused.value).splitlines()) == 3


def test_a_funnel_needs_a_country_and_regions(of: Callable[[str], Selection]) -> None:
    with pytest.raises(NothingToPublish, match="no national value"):
        compute_funnel(of("crude"), "municipality", 2021)
    with pytest.raises(NothingToPublish, match="fewer than two regions"):
        compute_funnel(of("crude"), "province", 2022)


def test_names_do_not_overlap_and_are_inside() -> None:
    figure = Figure()
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(xlim=(0, 1), ylim=(0, 1))
    crowd = np.random.default_rng(1).normal(0.5, 0.03, (MOST_NAMES, 2))
    places = label_points(axes, crowd, [f"Plaats {at}" for at in range(len(crowd))], crowd, crowd, fontsize=7)
    room = axes.get_window_extent()
    assert len(places) == len(axes.texts) == MOST_NAMES
    assert not any(one.overlaps(other) for at, one in enumerate(places) for other in places[:at])
    assert all(room.x0 <= place.x0 and place.x1 <= room.x1 for place in places)


def test_a_chart_shows_limits_special_causes_and_breaks(release: Path, promise: Publication) -> None:
    arguments = (release, promise, "avoidable_mortality", "GG00")
    svg = chart(*arguments)
    rows = select_indicator(*arguments[:3], "all", None).rows
    limits = xmr_limits(rows.loc[rows["region_code"] == "GG00", "value"])
    drawn = texts(svg)
    assert {f"{part.item():.1f}".replace(".", ",") for part in (limits.value, limits.lower, limits.upper)} <= set(drawn)
    assert {"procesgrenzen", "trendbreuk", "voorlopig (open)", "GGD Alfa, 2012–2023"} <= {
        text.removeprefix("per 100.000 persoonsjaren, ") for text in drawn
    }
    assert {"bijzondere oorzaak, gunstig", "bijzondere oorzaak, ongunstig"} & set(drawn)
    assert b'id="series-break-2015"' in svg
    assert any(text.startswith("12 jaren: onder de 15") for text in drawn)
    english = texts(chart(*arguments, "en"))
    assert {"process limits", "series break"} <= set(english)
    assert {"special cause, improvement", "special cause, concern"} & set(english)


def test_without_polarity_a_special_cause_is_not_judged(release: Path, promise: Publication) -> None:
    drawn = texts(chart(release, promise, "zvw_cost", "GG00", "en"))
    assert not any(text.endswith(("improvement", "concern")) for text in drawn)


def test_a_chart_needs_years(release: Path, promise: Publication) -> None:
    with pytest.raises(NothingToPublish, match="needs 12 years or more, and there are 10"):
        chart(release, promise, "zvw_cost", "GG05")
