-- CloudFront on Athena: one external table over the staged objects of all runs of a workspace, which lie under their original keys.
-- Input:  {{table}}; {{bulk}}, the prefix of what is large in all runs, with a trailing slash, and {{staged}}, the template of a
--         run's staged objects, both as literals.
-- A query must name the run, `run = '…'`: without one Athena refuses it, so that nobody scans all of them by mistake.
-- Files name their fields and the order of these, or are JSON, so a row is a whole line; accesses.athena.sql takes it apart. Serde: "Regex SerDe", Athena user
-- guide. Partitions: "injected", partition projection.
-- Output: the table.
-- Cost:   none.
create external table if not exists {{table}} (
  line string
)
partitioned by (run string)
row format serde 'org.apache.hadoop.hive.serde2.RegexSerDe'
with serdeproperties ('input.regex' = '([^\\n]*)')
stored as inputformat 'org.apache.hadoop.mapred.TextInputFormat'
outputformat 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
location {{bulk}}
tblproperties (
  'projection.enabled' = 'true',
  'projection.run.type' = 'injected',
  'storage.location.template' = {{staged}}
);
