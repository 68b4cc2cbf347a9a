-- An expression: which delivery of its event a row of `judged` is. Rows that are dropped anyway, or have no id, count as the first.
-- For Trino and DuckDB alike.
-- Input:  judged, a relation of classified.sql.
-- Output: 1 for the first delivery of an event, 2 for the second …
-- Cost:   a sort of the pairs by event.
case
  when drop_reason is null and event_id is not null
    then row_number() over (partition by drop_reason, event_id order by event_time, entity, ip)
  else 1
end;
