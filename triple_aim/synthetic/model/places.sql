-- Municipalities with a size by rank, an age structure and a level of care use; all other characteristics are equal.
-- The ranks are drawn at random: no size is that of the real municipality.
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
