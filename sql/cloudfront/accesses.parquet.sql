-- CloudFront in Parquet on Athena: the flat relation `accesses`, one row a request.
-- Input:  {{table}}, the table of table.parquet.sql; {{run}}, the id of a run, as a literal.
-- Output: the columns of accesses.athena.sql, in its order; event_time in milliseconds since 1970.
-- Cost:   scans the columns that it names, of all staged objects of the run.
with fields (date_utc, time_utc, timestamp_ms, ip, distribution, host, agent, id, method, uri, status, result, run) as (
  select
    nullif(nullif("date", '-'), ''),
    nullif(nullif("time", '-'), ''),
    nullif(nullif("timestamp_ms", '-'), ''),
    nullif(nullif("c_ip", '-'), ''),
    nullif(nullif("cs_host", '-'), ''),
    nullif(nullif("x_host_header", '-'), ''),
    nullif(nullif("cs_user_agent", '-'), ''),
    nullif(nullif("x_edge_request_id", '-'), ''),
    nullif(nullif("cs_method", '-'), ''),
    nullif(nullif("cs_uri_stem", '-'), ''),
    nullif(nullif("sc_status", '-'), ''),
    nullif(nullif("x_edge_result_type", '-'), ''),
    run
  from {{table}}
  where run = {{run}}
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
