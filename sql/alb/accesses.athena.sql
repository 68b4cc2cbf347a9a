-- ALB on Athena: the flat relation `accesses`, one row a request.
-- Input:  {{table}}, the table of table.sql; {{run}}, the id of a run, as a literal.
-- Output: the columns of accesses.duckdb.sql, in its order; event_time in milliseconds since 1970.
-- Cost:   scans all staged objects of the run.
select
  -- Engines round microseconds differently.
  cast(round(to_unixtime(try(from_iso8601_timestamp(regexp_extract("time", '^[^.Z]+([.][0-9]{1,3})?') || 'Z'))) * 1000) as bigint) as event_time,
  -- Clients may send a trace id of their own.
  "time" || ' ' || nullif(client, '-') || ' ' || nullif(nullif(traceid, '-'), '') as event_id,
  nullif(nullif(useragent, '-'), '') as user_agent,
  regexp_extract(request, '^[^ ]* [a-z]+://([^/?:\[ ]+|\[[^\] ]*\])', 1) as host,
  nullif(nullif(targetgroup, '-'), '') as target_group,
  nullif(elb, '-') as balancer,
  nullif(nullif(servername, '-'), '') as server_name,
  nullif(nullif(certificate, '-'), '') as certificate,
  split_part(nullif(nullif(request, '-'), ''), ' ', 1) as method,
  nullif(regexp_extract(request, '^[^ ]* [a-z]+://[^/? ]*([^? ]*)', 1), '') as uri,
  nullif(status, '-') as status,
  nullif(nullif(actions, '-'), '') as action,
  -- Without the port, and without the brackets that an IPv6 address may have.
  regexp_extract(client, '^\[?([^\[\] ]*[^\[\] :])\]?:[0-9]+\z', 1) as ip,
  case
    when nullif("time", '-') is null and nullif(client, '-') is null and nullif(nullif(request, '-'), '') is null
      and nullif(nullif(useragent, '-'), '') is null then 'unreadable-record'
    when try(from_iso8601_timestamp(regexp_extract("time", '^[^.Z]+([.][0-9]{1,3})?') || 'Z')) is null then 'no-event-time'
  end as drop_reason
from {{table}}
where run = {{run}};
