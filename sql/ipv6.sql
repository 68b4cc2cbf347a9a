-- The IPv6 pairs, each once. IP Insights cannot take them; they are judged by evidence alone. For Trino and DuckDB alike.
-- Input:  classified.
-- Output: entity, ip, train_events, holdout_events.
-- Cost:   reads classified, which is kept as a table: the logs are not scanned again.
select
  entity,
  ip,
  count(case when part = 'train' then 1 end) as train_events,
  count(case when part = 'holdout' then 1 end) as holdout_events
from classified
where drop_reason is null and family = 6
group by entity, ip
order by entity, ip;
