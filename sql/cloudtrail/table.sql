-- The staged CloudTrail objects of a run as a table. It is read recursively: staged/ holds nothing else.
CREATE EXTERNAL TABLE {{table}} (
  eventtime STRING,
  eventid STRING,
  eventtype STRING,
  sourceipaddress STRING,
  useridentity STRUCT<
    type: STRING, principalid: STRING, arn: STRING, accountid: STRING, accesskeyid: STRING, username: STRING,
    sessioncontext: STRUCT<sessionissuer: STRUCT<username: STRING>>>
)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION {{location}}
