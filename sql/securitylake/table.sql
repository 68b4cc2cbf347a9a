-- Security Lake on Athena: one external table over the Parquet objects of all runs of a workspace, which are read where Security Lake wrote them.
-- Each run has a file of their URIs; "Querying Amazon S3 Inventory with Amazon Athena", S3 user guide, reads Parquet so.
-- Input:  {{table}}; {{bulk}}, the prefix of what is large in all runs, with a trailing slash, and {{staged}}, the template of a
--         run's file of URIs, both as literals.
-- A query must name the run, `run = '…'`: without one Athena refuses it, so that nobody scans all of them by mistake.
-- Columns are found by their names, in structures, too; what a file does not have is null. Unused ones are left out. Names and types: the
-- mappings of CloudTrail and VPC Flow Logs to OCSF 1.0.0-rc.2 and 1.1.0 in github.com/ocsf/examples. Partitions: "injected", partition projection.
-- Output: the table.
-- Cost:   none.
create external table if not exists {{table}} (
  `time` bigint,
  class_uid int,
  status_code string,
  disposition_id int,
  action_id int,
  metadata struct<uid: string>,
  actor struct<
    `user`: struct<
      `type`: string,
      name: string,
      uid: string,
      uid_alt: string,
      uuid: string,
      account_uid: string,
      account: struct<uid: string>,
      credential_uid: string
    >
  >,
  src_endpoint struct<
    ip: string,
    domain: string,
    port: int,
    interface_uid: string,
    instance_uid: string,
    vpc_uid: string
  >,
  dst_endpoint struct<
    ip: string,
    domain: string,
    port: int,
    interface_uid: string,
    instance_uid: string,
    vpc_uid: string
  >,
  connection_info struct<direction_id: int, protocol_num: int>,
  api struct<
    operation: string,
    service: struct<name: string>,
    response: struct<error: string, message: string>
  >,
  http_request struct<user_agent: string>,
  cloud struct<region: string, account_uid: string, account: struct<uid: string>>
)
partitioned by (run string)
row format serde 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'
stored as inputformat 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat'
outputformat 'org.apache.hadoop.hive.ql.io.IgnoreKeyTextOutputFormat'
location {{bulk}}
tblproperties (
  'projection.enabled' = 'true',
  'projection.run.type' = 'injected',
  'storage.location.template' = {{staged}}
);
