"""Seeded synthetic deliveries: ten municipalities, three years, every extract that holds persons.

Belongs here: invented people, what befalls them, and the defects that are planted on purpose. Not here: what
a delivery must look like (``contracts``) or any real record; the constants are rounded national averages and
no more. The same seed gives the same bytes, so a file that changes is a change somebody made.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from triple_aim.samples.care import claimed
from triple_aim.samples.conditions import drawn_regimens, with_conditions
from triple_aim.samples.insured import drawn_people, insured_spans
from triple_aim.samples.places import YEARS
from triple_aim.samples.residents import deaths, drawn_allocations, population_table, provisions, resident_cells
from triple_aim.samples.streams import stream
from triple_aim.samples.surveys import EXPERIENCE_YEAR, ITEMS, SURVEY_YEAR, answers, experiences
from triple_aim.samples.writing import write_csv, write_excel, write_parquet, write_spss

RESIDENTS_PER_INSURED = 10

#: The municipal files keep the headers of the municipal software.
DUTCH_HEADERS = {
    "allocation_id": "Toewijzingnummer",
    "message_seq": "Berichtvolgnummer",
    "person_key": "Pseudoniem",
    "municipality_code": "Gemeentecode",
    "law": "Wet",
    "category": "Productcategorie",
    "delivery_form": "Leveringsvorm",
    "start_date": "Ingangsdatum",
    "end_date": "Einddatum",
    "end_reason": "Reden beëindiging",
    "sex": "Geslacht",
    "birth_year": "Geboortejaar",
    "amount_eur": "Bedrag",
}


def write_samples(folder: Path, seed: int = 20260101, persons: int = 16_000) -> None:
    """Write every sample delivery as ``folder/<extract>/<extract>_<year>.<ext>``."""
    people = with_conditions(stream(seed, "conditions"), drawn_people(stream(seed, "people"), persons))
    regimens = drawn_regimens(stream(seed, "regimens"), people)
    residents = {year: resident_cells(persons * RESIDENTS_PER_INSURED, year) for year in (*YEARS, YEARS[-1] + 1)}
    allocations = drawn_allocations(np.random.default_rng([seed, 2]), residents[YEARS[0]])
    for year in YEARS:
        rng = np.random.default_rng([seed, year])
        write_csv(folder / f"insured_population/insured_population_{year}.csv.gz", insured_spans(people, year))
        claims = claimed(seed, people, regimens, year)
        if year == YEARS[-1]:
            write_parquet(folder / f"claims/claims_{year}.parquet", claims)
        else:
            write_csv(folder / f"claims/claims_{year}.csv.gz", claims)
        allocated = provisions(allocations, year)
        if year == YEARS[-1]:
            write_excel(folder / f"social_domain/social_domain_{year}.xlsx", allocated)
        else:
            dutch = allocated.fillna({"end_reason": "n.v.t."}).rename(columns=DUTCH_HEADERS)
            path = folder / f"social_domain/social_domain_{year}.csv.gz"
            write_csv(path, dutch, decimal=",", encoding="latin-1")
        population = population_table(residents[year], residents[year + 1])
        write_csv(folder / f"population/population_{year}.csv", population)
        write_csv(folder / f"mortality/mortality_{year}.csv.gz", deaths(rng, population, year))
    survey = answers(np.random.default_rng([seed, 3]), residents[SURVEY_YEAR], max(persons // 80, 4))
    write_spss(folder / f"survey/survey_{SURVEY_YEAR}.sav", survey, items=[item for item, *_ in ITEMS])
    told = experiences(stream(seed, "experiences"), residents[EXPERIENCE_YEAR], max(persons // 160, 4))
    write_csv(folder / f"experience_survey/experience_survey_{EXPERIENCE_YEAR}.csv.gz", told)
