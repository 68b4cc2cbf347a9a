-- The staged WAF objects of a run as a table. It is read recursively: staged/ holds nothing else.
CREATE EXTERNAL TABLE {{table}} (
  `timestamp` BIGINT,
  httprequest STRUCT<
    clientip: STRING, country: STRING, requestid: STRING, headers: ARRAY<STRUCT<name: STRING, value: STRING>>>,
  ja3fingerprint STRING,
  ja4fingerprint STRING
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION {{location}}
