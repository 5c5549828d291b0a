-- The number of services by planted defect and correction.
select
    defect,
    correction,
    count(*) as service_count,
    cast(sum(cents) as bigint) as cents
from services
where is_delivered
group by all
