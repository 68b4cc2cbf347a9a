-- What became of every record: pairs by part, the rest by reason.
SELECT coalesce(drop_reason, part) AS outcome, count(*) AS events FROM classified GROUP BY 1 ORDER BY 1
