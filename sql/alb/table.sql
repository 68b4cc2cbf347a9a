-- ALB on Athena: one external table over the staged objects of all runs of a workspace, which lie under their original keys.
-- Input:  {{table}}; {{bulk}}, the prefix of what is large in all runs, with a trailing slash, {{staged}}, the template of a
--         run's staged objects, and {{pattern}}, what takes a line apart, all as literals.
-- A query must name the run, `run = '…'`: without one Athena refuses it, so that nobody scans all of them by mistake.
-- Serde: "Create the table for ALB access logs", Athena user guide. Partitions: "injected", partition projection. The columns
-- are the groups of the pattern, in their order; unused fields are left out. A line that does not fit is a row of nulls.
-- Output: the table.
-- Cost:   none.
create external table if not exists {{table}} (
  `time` string,
  elb string,
  client string,
  status string,
  request string,
  useragent string,
  targetgroup string,
  traceid string,
  servername string,
  certificate string,
  actions string
)
partitioned by (run string)
row format serde 'org.apache.hadoop.hive.serde2.RegexSerDe'
with serdeproperties ('input.regex' = {{pattern}})
stored as inputformat 'org.apache.hadoop.mapred.TextInputFormat'
outputformat 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
location {{bulk}}
tblproperties (
  'projection.enabled' = 'true',
  'projection.run.type' = 'injected',
  'storage.location.template' = {{staged}}
);
