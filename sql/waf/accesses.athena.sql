-- Who came from where: one row for every WAF record. Times are milliseconds since 1970, UTC.
-- The same columns in the same order as accesses.duckdb.sql. Header names keep the client's case; the first of a name counts.
SELECT
  "timestamp" AS event_time,
  httprequest.requestid AS event_id,
  element_at(filter(httprequest.headers, h -> lower(h.name) = 'user-agent'), 1).value AS user_agent,
  ja4fingerprint AS ja4,
  ja3fingerprint AS ja3,
  element_at(filter(httprequest.headers, h -> lower(h.name) = 'host'), 1).value AS host,
  httprequest.country AS country,
  httprequest.clientip AS ip,
  CASE WHEN "timestamp" IS NULL AND httprequest IS NULL THEN 'unreadable-record'
       WHEN "timestamp" IS NULL THEN 'no-event-time'
       END AS drop_reason
FROM {{records}}
