-- Every access with the entity that was chosen, encoded, its part of the split, and the one reason for which it is no pair.
WITH chosen AS (
  SELECT event_time, event_id, {{entity}} AS entity, ip, drop_reason FROM accesses
), judged AS (
  SELECT event_time, event_id, entity, ip,
    CASE WHEN drop_reason IN ('unreadable-record', 'no-event-time') THEN drop_reason
         WHEN event_time < {{from}} OR event_time >= {{to}} THEN 'outside-window'
         WHEN drop_reason IS NOT NULL THEN drop_reason
         WHEN ip IS NULL OR ip = '' THEN 'no-address'
         WHEN strpos(ip, ':') > 0 THEN 'ipv6'
         WHEN NOT regexp_like(ip, '^[0-9.]+$') THEN 'service-name'
         WHEN NOT regexp_like(ip, '^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])$') THEN 'invalid-address'
         WHEN NOT {{include_private}} AND regexp_like(ip, {{private}}) THEN 'private-address'
         WHEN entity IS NULL OR entity = '' THEN 'no-entity'
         END AS drop_reason
  FROM chosen
), numbered AS (
  SELECT event_time, event_id, entity, ip, drop_reason,
    CASE WHEN {{dedupe}} AND drop_reason IS NULL AND event_id IS NOT NULL
         THEN row_number() OVER (PARTITION BY drop_reason, event_id ORDER BY event_time, entity, ip) ELSE 1 END AS delivery
  FROM judged
)
SELECT event_time, event_id, {{encoded}} AS entity, ip,
  CASE WHEN event_time >= {{cutoff}} THEN 'holdout' ELSE 'train' END AS part,
  CASE WHEN delivery > 1 THEN 'repeated-delivery' ELSE drop_reason END AS drop_reason
FROM numbered
