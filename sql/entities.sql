-- The known entities: those with accesses to learn from.
SELECT entity, count(*) AS events, count(DISTINCT ip) AS ips
FROM classified WHERE drop_reason IS NULL AND part = 'train'
GROUP BY entity ORDER BY entity
