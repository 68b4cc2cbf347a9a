-- S3 access on Athena: the flat relation `accesses`, one row a request.
-- Input:  {{table}}, the table of table.sql; {{run}}, the id of a run, as a literal.
-- Output: the columns of accesses.duckdb.sql, in its order; event_time in milliseconds since 1970.
-- Cost:   scans all staged objects of the run.
select
  cast(round(to_unixtime(try(date_parse("time", '%d/%b/%Y:%H:%i:%s +0000'))) * 1000) as bigint) as event_time,
  nullif(requestid, '-') as event_id,
  nullif(requester, '-') as requester,
  nullif(bucket, '-') as bucket,
  nullif(accesspoint, '-') as access_point,
  nullif(hostheader, '-') as host,
  nullif(operation, '-') as operation,
  nullif(objectkey, '-') as object_key,
  split_part(nullif(nullif(requesturi, '-'), ''), ' ', 1) as method,
  nullif(status, '-') as status,
  nullif(errorcode, '-') as error,
  nullif(nullif(useragent, '-'), '') as user_agent,
  nullif(remoteip, '-') as ip,
  case
    when nullif("time", '-') is null and nullif(remoteip, '-') is null and nullif(requester, '-') is null
      and nullif(operation, '-') is null then 'unreadable-record'
    when try(date_parse("time", '%d/%b/%Y:%H:%i:%s +0000')) is null then 'no-event-time'
    -- What S3 does by itself, as by a lifecycle rule, or for another service.
    when requester like 'svc:%' or operation like 'S3.%' then 'aws-service'
  end as drop_reason
from {{table}}
where run = {{run}};
