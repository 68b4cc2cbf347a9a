-- The entities of all pairs, each encoded once instead of in every row, with numbers in the order of their encoded names, on DuckDB.
-- Input:  {{raw}}, the relation `classified` with entities that are not encoded; {{encoded}}, the codec over `raw`.
-- Output: raw, entity, number.
-- Cost:   reads a table.
select raw, entity, row_number() over (order by entity) as number
from (
  select raw, {{encoded}} as entity
  from (select distinct entity as raw from {{raw}} where drop_reason is null)
);
