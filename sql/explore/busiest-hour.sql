-- Which hours had the most accesses?
-- Input:  classified.
-- Output: hour_time, its start; events, entities, ips.
-- Cost:   one scan of the run's staged objects, on Athena.
select
  event_time - event_time % 3600000 as hour_time,
  count(*) as events,
  count(distinct entity) as entities,
  count(distinct ip) as ips
from classified
where drop_reason is null
group by event_time - event_time % 3600000
order by events desc, hour_time;
