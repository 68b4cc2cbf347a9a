-- The known entities: those with IPv4 accesses to learn from. For Trino and DuckDB alike.
-- Input:  classified.
-- Output: entity, events, ips.
-- Cost:   reads classified, which is kept as a table: the logs are not scanned again.
select entity, count(*) as events, count(distinct ip) as ips
from classified
where drop_reason is null and family = 4 and part = 'train'
group by entity
order by entity;
