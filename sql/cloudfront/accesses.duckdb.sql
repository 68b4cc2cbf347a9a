-- CloudFront on DuckDB: the flat relation `accesses`, one row a request.
-- Input:  {{records}}, the records with the members that the source names.
-- Output: the columns of accesses.athena.sql, in its order; event_time in milliseconds since 1970.
-- Cost:   reads all records of the run.
with fields (date_utc, time_utc, timestamp_ms, ip, distribution, host, agent, id, method, uri, status, result) as (
  -- In JSON, too, a hyphen stands for what is absent.
  select
    nullif(nullif("date", '-'), ''),
    nullif(nullif("time", '-'), ''),
    nullif(nullif("timestamp(ms)", '-'), ''),
    nullif(nullif("c-ip", '-'), ''),
    nullif(nullif("cs(Host)", '-'), ''),
    nullif(nullif("x-host-header", '-'), ''),
    nullif(nullif("cs(User-Agent)", '-'), ''),
    nullif(nullif("x-edge-request-id", '-'), ''),
    nullif(nullif("cs-method", '-'), ''),
    nullif(nullif("cs-uri-stem", '-'), ''),
    nullif(nullif("sc-status", '-'), ''),
    nullif(nullif("x-edge-result-type", '-'), '')
  from {{records}}
),
dated as (
  -- Of the records that have no date and time, the milliseconds.
  select fields.*, coalesce(
    epoch_ms(try_cast(case when length(time_utc) = 8 then date_utc || 'T' || time_utc || 'Z' end as timestamptz)),
    case when regexp_matches(timestamp_ms, '^[0-9]{1,15}\z') then cast(timestamp_ms as bigint) end
  ) as completed from fields
)
select
  completed as event_time,
  id as event_id,
  -- As the client sent it, but for what is not printable ASCII, or no escape at all: that stays as logged.
  case
    when regexp_matches(agent, '%([01]|7[Ff]|[89A-Fa-f]|[^0-9A-Fa-f]|[0-9A-Fa-f][^0-9A-Fa-f]|[0-9A-Fa-f]?\z)') then agent
    else url_decode(agent)
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
from dated;
