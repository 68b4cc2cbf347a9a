-- Who came from where: one row for every WAF record. Times are milliseconds since 1970, UTC.
-- The same columns in the same order as accesses.athena.sql. Header names keep the client's case; the first of a name counts.
SELECT
  "timestamp" AS event_time,
  httpRequest.requestId AS event_id,
  list_extract(list_filter(httpRequest.headers, lambda h: lower(h.name) = 'user-agent'), 1).value AS user_agent,
  ja4Fingerprint AS ja4,
  ja3Fingerprint AS ja3,
  list_extract(list_filter(httpRequest.headers, lambda h: lower(h.name) = 'host'), 1).value AS host,
  httpRequest.country AS country,
  httpRequest.clientIp AS ip,
  CASE WHEN "timestamp" IS NULL AND httpRequest IS NULL THEN 'unreadable-record'
       WHEN "timestamp" IS NULL THEN 'no-event-time'
       END AS drop_reason
FROM {{records}}
