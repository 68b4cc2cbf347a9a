-- Which delivery of the same event a row of `judged` is, as an expression; what is dropped anyway, or has no id, is the first one.
-- For Trino and DuckDB alike.
-- Input:  judged, a relation of classified.sql.
-- Output: 1 for the first delivery of an event, 2 for the second …
-- Cost:   a sort of the pairs by event.
case
  when drop_reason is null and event_id is not null
    then row_number() over (partition by drop_reason, event_id order by event_time, entity, ip)
  else 1
end;
