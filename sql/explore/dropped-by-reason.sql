-- Which records did not become pairs, and why?
-- Input:  classified.
-- Output: drop_reason, events, first_time, last_time.
-- Cost:   one scan of the run's staged objects, on Athena.
select drop_reason, count(*) as events, min(event_time) as first_time, max(event_time) as last_time
from classified
where drop_reason is not null
group by drop_reason
order by events desc, drop_reason;
