-- CloudFront on Athena: the flat relation `accesses`, one row a request.
-- Input:  {{table}}, the table of table.sql; {{run}}, the id of a run, as a literal.
-- Output: the columns of accesses.duckdb.sql, in its order; event_time in milliseconds since 1970.
-- Cost:   scans all staged objects of the run twice: for the line that names the fields of each, and for the records.
with orders (path, names) as (
  select "$path", split(substr(max(line), 10), ' ')
  from {{table}}
  where run = {{run}} and line like '#Fields: %'
  group by "$path"
),
records (names, parts, run) as (
  select names, split(line, chr(9)), run
  from {{table}}
  left join orders on path = "$path"
  where run = {{run}} and not line like '#%'
),
fields (date_utc, time_utc, ip, distribution, host, agent, id, method, uri, status, result, run) as (
  select
    nullif(nullif(element_at(parts, nullif(array_position(names, 'date'), 0)), '-'), ''),
    nullif(nullif(element_at(parts, nullif(array_position(names, 'time'), 0)), '-'), ''),
    nullif(nullif(element_at(parts, nullif(array_position(names, 'c-ip'), 0)), '-'), ''),
    nullif(nullif(element_at(parts, nullif(array_position(names, 'cs(Host)'), 0)), '-'), ''),
    nullif(nullif(element_at(parts, nullif(array_position(names, 'x-host-header'), 0)), '-'), ''),
    nullif(nullif(element_at(parts, nullif(array_position(names, 'cs(User-Agent)'), 0)), '-'), ''),
    nullif(nullif(element_at(parts, nullif(array_position(names, 'x-edge-request-id'), 0)), '-'), ''),
    nullif(nullif(element_at(parts, nullif(array_position(names, 'cs-method'), 0)), '-'), ''),
    nullif(nullif(element_at(parts, nullif(array_position(names, 'cs-uri-stem'), 0)), '-'), ''),
    nullif(nullif(element_at(parts, nullif(array_position(names, 'sc-status'), 0)), '-'), ''),
    nullif(nullif(element_at(parts, nullif(array_position(names, 'x-edge-result-type'), 0)), '-'), ''),
    run
  from records
)
select
  cast(round(to_unixtime(try(from_iso8601_timestamp(date_utc || 'T' || time_utc || 'Z'))) * 1000) as bigint) as event_time,
  id as event_id,
  -- As the client sent it, but for what is not printable ASCII, or no escape at all: that stays as logged.
  case
    when regexp_like(agent, '%([01]|7[Ff]|[89A-Fa-f]|[^0-9A-Fa-f]|[0-9A-Fa-f][^0-9A-Fa-f]|[0-9A-Fa-f]?\z)') then agent
    else url_decode(replace(agent, '+', '%2B'))
  end as user_agent,
  host as host,
  distribution as distribution,
  method as method,
  uri as uri,
  status as status,
  result as action,
  ip as ip,
  case
    when date_utc is null and time_utc is null and ip is null and agent is null then 'unreadable-record'
    when try(from_iso8601_timestamp(date_utc || 'T' || time_utc || 'Z')) is null then 'no-event-time'
  end as drop_reason
from fields
where run = {{run}};
