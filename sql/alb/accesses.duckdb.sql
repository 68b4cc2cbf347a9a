-- ALB on DuckDB: the flat relation `accesses`, one row a request.
-- Input:  {{records}}, the records with the members that the source names.
-- Output: the columns of accesses.athena.sql, in its order; event_time in milliseconds since 1970.
-- Cost:   reads all records of the run.
select
  -- Engines round microseconds differently.
  epoch_ms(try_cast(regexp_extract("time", '^[^.Z]+([.][0-9]{1,3})?') || 'Z' as timestamptz)) as event_time,
  -- Clients may send a trace id of their own.
  "time" || ' ' || client || ' ' || traceId as event_id,
  userAgent as user_agent,
  nullif(regexp_extract(request, '^[^ ]* [a-z]+://([^/?:\[ ]+|\[[^\] ]*\])', 1), '') as host,
  targetGroup as target_group,
  elb as balancer,
  serverName as server_name,
  certificate as certificate,
  split_part(request, ' ', 1) as method,
  nullif(regexp_extract(request, '^[^ ]* [a-z]+://[^/? ]*([^? ]*)', 1), '') as uri,
  status as status,
  actions as action,
  -- Without the port, and without the brackets that an IPv6 address may have.
  case
    when regexp_matches(client, '^[0-9.]+:[0-9]+\z') then split_part(client, ':', 1)
    else nullif(regexp_extract(client, '^\[?([^\[\] ]*[^\[\] :])\]?:[0-9]+\z', 1), '')
  end as ip,
  case
    when "time" is null and client is null and request is null and userAgent is null then 'unreadable-record'
    when epoch_ms(try_cast(regexp_extract("time", '^[^.Z]+([.][0-9]{1,3})?') || 'Z' as timestamptz)) is null then 'no-event-time'
  end as drop_reason
from {{records}};
