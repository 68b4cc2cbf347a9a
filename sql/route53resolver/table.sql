-- Route 53 Resolver on Athena: one external table over the staged objects of all runs of a workspace, which lie under their original keys.
-- Input:  {{table}}; {{bulk}}, the prefix of what is large in all runs, with a trailing slash, and {{staged}}, the template of a
--         run's staged objects, both as literals.
-- A query must name the run, `run = '…'`: without one Athena refuses it, so that nobody scans all of them by mistake.
-- Serde: as of sql/waf, for lines of JSON. Members: "Values that appear in VPC DNS query logs", Route 53 developer guide.
-- Partitions: "injected", partition projection. Unused columns are left out.
-- Output: the table.
-- Cost:   none.
create external table if not exists {{table}} (
  query_timestamp string,
  vpc_id string,
  query_name string,
  srcaddr string,
  srcport string,
  answers array<struct<rdata: string, type: string>>,
  srcids struct<instance: string>,
  account_id string,
  region string,
  query_type string,
  rcode string
)
partitioned by (run string)
row format serde 'org.openx.data.jsonserde.JsonSerDe'
stored as inputformat 'org.apache.hadoop.mapred.TextInputFormat'
outputformat 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
location {{bulk}}
tblproperties (
  'projection.enabled' = 'true',
  'projection.run.type' = 'injected',
  'storage.location.template' = {{staged}}
);
