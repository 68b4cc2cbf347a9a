-- The pairs of one part of the split. Repeats stay: they are the weights.
SELECT entity, ip FROM classified WHERE drop_reason IS NULL AND part = {{part}}
