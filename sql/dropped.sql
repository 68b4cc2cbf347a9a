-- Counts every record: pairs by part, those of IPv6 as train-ipv6 and holdout-ipv6, the others by drop reason. For Trino and DuckDB alike.
-- Input:  classified.
-- Output: part_or_reason, events, first and last event in milliseconds since 1970.
-- Cost:   reads classified, which is kept as a table: the logs are not scanned again.
select coalesce(drop_reason, case when family = 6 then part || '-ipv6' else part end) as part_or_reason, count(*) as events, min(event_time) as first_event, max(event_time) as last_event
from classified
group by coalesce(drop_reason, case when family = 6 then part || '-ipv6' else part end)
order by part_or_reason;
