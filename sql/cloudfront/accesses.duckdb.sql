-- CloudFront on DuckDB: the flat relation `accesses`, one row a request.
-- Input:  {{records}}, the records with the members that the source names.
-- Output: the columns of accesses.athena.sql, in its order; event_time in milliseconds since 1970.
-- Cost:   reads all records of the run.
select
  epoch_ms(try_cast("date" || 'T' || "time" || 'Z' as timestamptz)) as event_time,
  "x-edge-request-id" as event_id,
  -- As the client sent it, but for what is not printable ASCII, or no escape at all: that stays as logged.
  case
    when regexp_matches("cs(User-Agent)", '%([01]|7[Ff]|[89A-Fa-f]|[^0-9A-Fa-f]|[0-9A-Fa-f][^0-9A-Fa-f]|[0-9A-Fa-f]?\z)') then "cs(User-Agent)"
    else url_decode("cs(User-Agent)")
  end as user_agent,
  "x-host-header" as host,
  "cs(Host)" as distribution,
  "cs-method" as method,
  "cs-uri-stem" as uri,
  "sc-status" as status,
  "x-edge-result-type" as action,
  "c-ip" as ip,
  case
    when "date" is null and "time" is null and "c-ip" is null and "cs(User-Agent)" is null then 'unreadable-record'
    when try_cast("date" || 'T' || "time" || 'Z' as timestamptz) is null then 'no-event-time'
  end as drop_reason
from {{records}};
