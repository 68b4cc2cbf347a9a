-- Which addresses appear only in the last part of the window, and with which entities?
-- Input:  classified.
-- Output: ip, first_time, events, entities, one_entity: one of them.
-- Cost:   one scan of the run's staged objects, on Athena.
select ip, min(event_time) as first_time, count(*) as events, count(distinct entity) as entities, min(entity) as one_entity
from classified
where drop_reason is null
group by ip
-- 'train' comes after 'holdout': for rows of both parts it is the maximum.
having max(part) = 'holdout'
order by events desc, ip;
