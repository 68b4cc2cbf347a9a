-- CloudFront on Athena: the flat relation `accesses`, one row a request.
-- Input:  {{table}}, the table of table.sql; {{run}}, the id of a run, as a literal.
-- Output: the columns of accesses.duckdb.sql, in its order; event_time in milliseconds since 1970.
-- Cost:   scans all staged objects of the run twice: for the line that names the fields of each, and for the records.
-- Lines are tab-separated, below one that names the fields, with `#Fields: ` before it (W3C) or not (plain); or JSON.
with orders (path, names) as (
  select "$path", split(replace(if(max(line) like '#%', substr(max(line), 10), max(line)), chr(9), ' '), ' ')
  from {{table}}
  where run = {{run}} and (line like '#Fields: %' or regexp_like(line, '^[a-z][A-Za-z()-]*([\t ][a-z][A-Za-z()-]*)*\z'))
  group by "$path"
),
records (names, line, parts, run) as (
  select names, line, split(line, chr(9)), run
  from {{table}}
  left join orders on path = "$path"
  where run = {{run}} and not line like '#%' and not regexp_like(line, '^[a-z][A-Za-z()-]*([\t ][a-z][A-Za-z()-]*)*\z')
),
fields (date_utc, time_utc, timestamp_ms, ip, distribution, host, agent, id, method, uri, status, result, run) as (
  select
    nullif(nullif(if(line like '{%', json_extract_scalar(line, '$["date"]'), element_at(parts, nullif(array_position(names, 'date'), 0))), '-'), ''),
    nullif(nullif(if(line like '{%', json_extract_scalar(line, '$["time"]'), element_at(parts, nullif(array_position(names, 'time'), 0))), '-'), ''),
    nullif(nullif(if(line like '{%', json_extract_scalar(line, '$["timestamp(ms)"]'), element_at(parts, nullif(array_position(names, 'timestamp(ms)'), 0))), '-'), ''),
    nullif(nullif(if(line like '{%', json_extract_scalar(line, '$["c-ip"]'), element_at(parts, nullif(array_position(names, 'c-ip'), 0))), '-'), ''),
    nullif(nullif(if(line like '{%', json_extract_scalar(line, '$["cs(Host)"]'), element_at(parts, nullif(array_position(names, 'cs(Host)'), 0))), '-'), ''),
    nullif(nullif(if(line like '{%', json_extract_scalar(line, '$["x-host-header"]'), element_at(parts, nullif(array_position(names, 'x-host-header'), 0))), '-'), ''),
    nullif(nullif(if(line like '{%', json_extract_scalar(line, '$["cs(User-Agent)"]'), element_at(parts, nullif(array_position(names, 'cs(User-Agent)'), 0))), '-'), ''),
    nullif(nullif(if(line like '{%', json_extract_scalar(line, '$["x-edge-request-id"]'), element_at(parts, nullif(array_position(names, 'x-edge-request-id'), 0))), '-'), ''),
    nullif(nullif(if(line like '{%', json_extract_scalar(line, '$["cs-method"]'), element_at(parts, nullif(array_position(names, 'cs-method'), 0))), '-'), ''),
    nullif(nullif(if(line like '{%', json_extract_scalar(line, '$["cs-uri-stem"]'), element_at(parts, nullif(array_position(names, 'cs-uri-stem'), 0))), '-'), ''),
    nullif(nullif(if(line like '{%', json_extract_scalar(line, '$["sc-status"]'), element_at(parts, nullif(array_position(names, 'sc-status'), 0))), '-'), ''),
    nullif(nullif(if(line like '{%', json_extract_scalar(line, '$["x-edge-result-type"]'), element_at(parts, nullif(array_position(names, 'x-edge-result-type'), 0))), '-'), ''),
    run
  from records
),
dated as (
  -- Of the records that have no date and time, the milliseconds.
  select fields.*, coalesce(
    cast(round(to_unixtime(try(from_iso8601_timestamp(case when length(time_utc) = 8 then date_utc || 'T' || time_utc || 'Z' end))) * 1000) as bigint),
    case when regexp_like(timestamp_ms, '^[0-9]{1,15}\z') then cast(timestamp_ms as bigint) end
  ) as completed from fields
)
select
  completed as event_time,
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
    when date_utc is null and time_utc is null and timestamp_ms is null and ip is null and agent is null then 'unreadable-record'
    when completed is null then 'no-event-time'
  end as drop_reason
from dated
where run = {{run}};
