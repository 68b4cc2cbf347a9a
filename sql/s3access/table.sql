-- S3 access on Athena: one external table over the staged objects of all runs of a workspace, which lie under their original keys.
-- Input:  {{table}}; {{bulk}}, the prefix of what is large in all runs, with a trailing slash, {{staged}}, the template of a
--         run's staged objects, and {{pattern}}, what takes a line apart, all as literals.
-- A query must name the run, `run = '…'`: without one Athena refuses it, so that nobody scans all of them by mistake.
-- Serde: "Using Amazon S3 server access logs to identify requests", S3 user guide. Partitions: "injected", partition projection. The
-- columns are the groups of the pattern, in their order; unused fields are left out. A line that does not fit is a row of nulls.
-- Output: the table.
-- Cost:   none.
create external table if not exists {{table}} (
  bucket string,
  `time` string,
  remoteip string,
  requester string,
  requestid string,
  operation string,
  objectkey string,
  requesturi string,
  status string,
  errorcode string,
  useragent string,
  hostheader string,
  accesspoint string
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
