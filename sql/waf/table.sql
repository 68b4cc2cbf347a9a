-- AWS WAF on Athena: one external table over the staged objects of all runs of a workspace, which lie under their original keys.
-- Input:  {{table}}; {{bulk}}, the prefix of what is large in all runs, with a trailing slash, and {{staged}}, the template of a
--         run's staged objects, both as literals.
-- A query must name the run, `run = '…'`: without one Athena refuses it, so that nobody scans all of them by mistake.
-- Serde and formats: "Query AWS WAF logs", Athena user guide. Partitions: "injected", partition projection. Unused columns
-- are left out.
-- Output: the table.
-- Cost:   none.
create external table if not exists {{table}} (
  `timestamp` bigint,
  webaclid string,
  action string,
  terminatingruleid string,
  httpsourceid string,
  httprequest struct<
    clientip: string,
    country: string,
    requestid: string,
    httpmethod: string,
    uri: string,
    headers: array<struct<name: string, value: string>>
  >,
  ja3fingerprint string,
  ja4fingerprint string
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
