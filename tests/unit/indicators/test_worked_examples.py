"""Is every worked example correct, by the functions that compute the published numbers?"""

from __future__ import annotations

import pytest

from tests.unit.cells import ROOT, specs
from triple_aim.definitions.specs import Example
from triple_aim.errors import ContentError
from triple_aim.indicators.worked_examples import refuse_wrong_examples, run_example


@pytest.mark.parametrize("name", specs())
def test_the_example_of_a_spec_is_correct(name: str) -> None:
    assert run_example(specs()[name]) == pytest.approx(specs()[name].example.value, rel=1e-9)


@pytest.mark.parametrize(
    ("given", "value", "message"),
    [
        ({"numerator": [200.0, 300.0], "denominator": [1.0, 1.0]}, 240.0, "it says 240 and comes out at 250"),
        ({"numerator": [200.0], "weight": [1.0]}, 200.0, "ratio has no use for weight"),
        ({"numerator": [200.0]}, 200.0, "ratio cannot be made of it"),
    ],
)
def test_a_wrong_example_names_its_spec(given: dict[str, list[float]], value: float, message: str) -> None:
    spec = specs()["zvw_cost_per_insured_year"].model_copy(update={"example": Example(given=given, value=value)})
    with pytest.raises(ContentError, match=message) as error:
        refuse_wrong_examples([spec], ROOT / "indicator_specs")
    name, line = error.value.where.split(":")
    assert name == "indicator_specs/cost/zvw_cost_per_insured_year.yaml"
    assert (ROOT / name).read_text().splitlines()[int(line) - 1].startswith("example:")
