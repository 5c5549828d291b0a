-- The definition of each indicator, in Dutch and English.
-- grain: indicator_id
select
    indicator_id,
    indicator_version,
    aim,
    domain,
    title_nl,
    title_en,
    meaning_nl,
    meaning_en,
    unit_nl,
    unit_en,
    decimals,
    polarity,
    population,
    methods,
    origin,
    owner,
    reviewed_on,
    cautions_en,
    cautions_nl,
    series_breaks
from safe.indicators
order by
    indicator_id
