-- Municipalities with a size by rank, a tilt to the old and a habit of using care; what else may differ does not, here.
-- Ranks are drawn: no size is a real one.
with ranked as (
    select
        municipality_code,
        row_number() over (order by hash(hash(municipality_code)), municipality_code) as size_rank,
        draw(hash(municipality_code), 1) as age_draw,
        draw(hash(municipality_code), 2) as use_draw
    from municipalities
)

select
    municipality_code,
    size_rank,
    1 / (size_rank + 2) as size,
    0.6 * (age_draw - 0.5) as older,
    0.85 + 0.3 * use_draw as care_use,
    1 as acute,
    care_use as social,
    1 as deaths,
    0.4 * (care_use - 1) as poor
from ranked
where size_rank <= $municipalities
order by size_rank
