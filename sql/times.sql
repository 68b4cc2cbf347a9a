-- When each pair was accessed: first and last access within every hour that it was. For Trino and DuckDB alike.
-- Input:  classified.
-- Output: entity, ip, first_event and last_event in milliseconds since 1970, events.
-- Cost:   reads classified, which is kept as a table: the logs are not scanned again.
select entity, ip, min(event_time) as first_event, max(event_time) as last_event, count(*) as events
from classified
where drop_reason is null
group by entity, ip, part, event_time - event_time % 3600000
order by entity, ip, first_event;
