-- The known entities: those with accesses to learn from. For Trino and DuckDB alike.
-- Input:  classified.
-- Output: entity, events, ips.
select entity, count(*) as events, count(distinct ip) as ips
from classified
where drop_reason is null and part = 'train'
group by entity
order by entity;
