-- CloudFront in Parquet on Athena: one external table over the staged objects of all runs of a workspace, which lie under their
-- original keys.
-- Input:  {{table}}; {{bulk}}, the prefix of what is large in all runs, with a trailing slash, and {{staged}}, the template of a
--         run's staged objects, both as literals.
-- A query must name the run, `run = '…'`: without one Athena refuses it, so that nobody scans all of them by mistake.
-- Columns and types: "Create a table for CloudFront logs in Athena using manual partitioning with Parquet", Athena user guide; that of
-- `timestamp(ms)` in their manner. They are found by their names; one that was not chosen is null. Unused ones are left out. Partitions:
-- "injected", partition projection.
-- Output: the table.
-- Cost:   none.
create external table if not exists {{table}} (
  `date` string,
  `time` string,
  timestamp_ms string,
  c_ip string,
  cs_host string,
  x_host_header string,
  cs_user_agent string,
  x_edge_request_id string,
  cs_method string,
  cs_uri_stem string,
  sc_status string,
  x_edge_result_type string
)
partitioned by (run string)
row format serde 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'
stored as inputformat 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat'
outputformat 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat'
location {{bulk}}
tblproperties (
  'projection.enabled' = 'true',
  'projection.run.type' = 'injected',
  'storage.location.template' = {{staged}}
);
