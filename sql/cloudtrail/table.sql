-- CloudTrail on Athena: one external table over the staged objects of all runs of a workspace, which lie under their original keys.
-- Input:  {{table}}; {{bulk}}, the prefix of what is large in all runs, with a trailing slash, and {{staged}}, the template of a
--         run's staged objects, both as literals.
-- A query must name the run, `run = '…'`: without one Athena refuses it, so that nobody scans all of them by mistake.
-- Serde and formats: "Create a table for CloudTrail logs", Athena user guide. Partitions: "injected", partition projection. Unused columns
-- are left out.
-- Output: the table.
-- Cost:   none.
create external table if not exists {{table}} (
  eventtime string,
  eventid string,
  eventtype string,
  eventsource string,
  eventname string,
  awsregion string,
  recipientaccountid string,
  sourceipaddress string,
  useragent string,
  errorcode string,
  errormessage string,
  useridentity struct<
    type: string,
    principalid: string,
    arn: string,
    accountid: string,
    accesskeyid: string,
    username: string,
    sessioncontext: struct<
      attributes: struct<mfaauthenticated: string>,
      sessionissuer: struct<username: string>
    >
  >
)
partitioned by (run string)
row format serde 'org.apache.hive.hcatalog.data.JsonSerDe'
stored as inputformat 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
outputformat 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
location {{bulk}}
tblproperties (
  'projection.enabled' = 'true',
  'projection.run.type' = 'injected',
  'storage.location.template' = {{staged}}
);
