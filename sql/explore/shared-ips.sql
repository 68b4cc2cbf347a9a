-- Which addresses are used by more than one entity: offices, proxies, or somebody with stolen keys?
-- Input:  classified.
-- Output: ip, entities, events, first_time, last_time.
-- Cost:   one scan of the run's staged objects, on Athena.
select ip, count(distinct entity) as entities, count(*) as events, min(event_time) as first_time, max(event_time) as last_time
from classified
where drop_reason is null
group by ip
having count(distinct entity) > 1
order by entities desc, events desc, ip;
