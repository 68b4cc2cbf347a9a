-- CloudTrail on Athena: an external table over the staged objects of one run, which lie under their original keys.
-- Input:  {{table}}; {{location}}, the prefix of the staged objects with its trailing slash, as a literal. It is read recursively.
-- Serde and formats: "Create a table for CloudTrail logs", Athena user guide. Columns that nobody reads are left out.
create external table if not exists {{table}} (
  eventtime string,
  eventid string,
  eventtype string,
  sourceipaddress string,
  useridentity struct<
    type: string,
    principalid: string,
    arn: string,
    accountid: string,
    accesskeyid: string,
    username: string,
    sessioncontext: struct<sessionissuer: struct<username: string>>
  >
)
row format serde 'org.apache.hive.hcatalog.data.JsonSerDe'
stored as inputformat 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
outputformat 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
location {{location}};
