-- AWS WAF on Athena: an external table over the staged objects of one run, which lie under their original keys.
-- Input:  {{table}}; {{location}}, the prefix of the staged objects with its trailing slash, as a literal. It is read recursively.
-- Serde and formats: "Query AWS WAF logs", Athena user guide. Columns that nobody reads are left out.
create external table if not exists {{table}} (
  `timestamp` bigint,
  httprequest struct<
    clientip: string,
    country: string,
    requestid: string,
    headers: array<struct<name: string, value: string>>
  >,
  ja3fingerprint string,
  ja4fingerprint string
)
row format serde 'org.openx.data.jsonserde.JsonSerDe'
stored as inputformat 'org.apache.hadoop.mapred.TextInputFormat'
outputformat 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
location {{location}};
