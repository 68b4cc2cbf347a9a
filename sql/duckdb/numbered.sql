-- The pairs of `classified` with the numbers of their entities, which are quicker to group and to sort than names, on DuckDB.
-- Input:  {{raw}}, the relation `classified` with entities that are not encoded; names.
-- Output: event_time, entity, a number of names, ip, family, part.
-- Cost:   reads a table.
select event_time, names.number as entity, ip, family, part
from {{raw}} as classified
join names on names.raw = classified.entity
where drop_reason is null;
