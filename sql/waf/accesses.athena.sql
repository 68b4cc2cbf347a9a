-- AWS WAF on Athena: the flat relation `accesses`, one row a request.
-- Input:  {{table}}, the table of table.sql; {{run}}, the id of a run, as a literal.
-- Output: the columns of accesses.duckdb.sql, in its order; event_time in milliseconds since 1970.
-- Cost:   scans all staged objects of the run.
select
  "timestamp" as event_time,
  httprequest.requestid as event_id,
  -- Names of headers keep the client's case; the first of a name counts.
  element_at(filter(httprequest.headers, h -> lower(h.name) = 'user-agent'), 1).value as user_agent,
  ja4fingerprint as ja4,
  ja3fingerprint as ja3,
  element_at(filter(httprequest.headers, h -> lower(h.name) = 'host'), 1).value as host,
  httprequest.country as country,
  httprequest.httpmethod as method,
  httprequest.uri as uri,
  action as action,
  terminatingruleid as rule,
  webaclid as web_acl,
  httpsourceid as protects,
  httprequest.clientip as ip,
  case
    when "timestamp" is null and httprequest is null then 'unreadable-record'
    when "timestamp" is null then 'no-event-time'
  end as drop_reason
from {{table}}
where run = {{run}};
