-- Which entities appear only in the last part of the window? The model does not know them, and says so.
-- Input:  classified.
-- Output: entity, first_time, events, ips.
-- Cost:   one scan of the run's staged objects, on Athena.
select entity, min(event_time) as first_time, count(*) as events, count(distinct ip) as ips
from classified
where drop_reason is null
group by entity
-- 'train' comes after 'holdout': for rows of both parts it is the maximum.
having max(part) = 'holdout'
order by events desc, entity;
