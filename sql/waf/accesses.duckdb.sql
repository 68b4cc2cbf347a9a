-- AWS WAF on DuckDB: the flat relation `accesses`, one row a request.
-- Input:  {{records}}, the records with the members that the source names.
-- Output: the columns of accesses.athena.sql, in its order; event_time in milliseconds since 1970.
-- Cost:   reads all records of the run.
select
  "timestamp" as event_time,
  httpRequest.requestId as event_id,
  -- Names of headers keep the client's case; the first of a name counts.
  list_extract(list_filter(httpRequest.headers, lambda h: lower(h.name) = 'user-agent'), 1).value as user_agent,
  ja4Fingerprint as ja4,
  ja3Fingerprint as ja3,
  list_extract(list_filter(httpRequest.headers, lambda h: lower(h.name) = 'host'), 1).value as host,
  httpRequest.country as country,
  httpRequest.httpMethod as method,
  httpRequest.uri as uri,
  action as action,
  terminatingRuleId as rule,
  webaclId as web_acl,
  httpSourceId as protects,
  httpRequest.clientIp as ip,
  case
    when "timestamp" is null and httpRequest is null then 'unreadable-record'
    when "timestamp" is null then 'no-event-time'
  end as drop_reason
from {{records}};
