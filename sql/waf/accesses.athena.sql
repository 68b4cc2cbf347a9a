-- AWS WAF on Athena: the flat relation `accesses`, one row a request.
-- Input:  {{records}}, the table of table.sql.
-- Output: the columns of accesses.duckdb.sql, in its order; event_time in milliseconds since 1970.
-- Cost:   scans the whole table, so that it must hold the staged objects of one run and nothing else.
select
  "timestamp" as event_time,
  httprequest.requestid as event_id,
  -- Names of headers keep the client's case; the first of a name counts.
  element_at(filter(httprequest.headers, h -> lower(h.name) = 'user-agent'), 1).value as user_agent,
  ja4fingerprint as ja4,
  ja3fingerprint as ja3,
  element_at(filter(httprequest.headers, h -> lower(h.name) = 'host'), 1).value as host,
  httprequest.country as country,
  httprequest.clientip as ip,
  case
    when "timestamp" is null and httprequest is null then 'unreadable-record'
    when "timestamp" is null then 'no-event-time'
  end as drop_reason
from {{records}};
