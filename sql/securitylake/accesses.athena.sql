-- Security Lake on Athena: the flat relation `accesses`, one row a record, of CloudTrail management events and of VPC flow.
-- Input:  {{table}}, the table of table.sql; {{run}}, the id of a run, as a literal.
-- Output: the columns of accesses.duckdb.sql, in its order; event_time in milliseconds since 1970.
-- Cost:   scans the columns that it names, of all staged objects of the run.
select
  "time" as event_time,
  case
    when class_uid = 4001 then dst_endpoint.interface_uid || ' ' || cast(connection_info.protocol_num as varchar) || ' ' || src_endpoint.ip || ' '
      || cast(src_endpoint.port as varchar) || ' ' || dst_endpoint.ip || ' ' || cast(dst_endpoint.port as varchar) || ' ' || cast("time" as varchar)
    else metadata.uid
  end as event_id,
  -- Only unique ids of IAM (AROA…) are followed by a session's name; federated and web identities have other colons. Version 2 has the ARN as uid.
  case
    when regexp_like(coalesce(actor."user".uid_alt, actor."user".uid), '^A[A-Z0-9]{3,}:')
    then split_part(coalesce(actor."user".uid_alt, actor."user".uid), ':', 1)
    else coalesce(actor."user".uid_alt, actor."user".uid)
  end as actor,
  coalesce(actor."user".uid_alt, actor."user".uid) as session,
  coalesce(actor."user".account_uid, actor."user".account.uid) as account,
  actor."user".name as user_name,
  coalesce(actor."user".uuid, case when actor."user".uid like 'arn:%' then actor."user".uid end) as arn,
  actor."user".credential_uid as access_key,
  actor."user"."type" as identity_type,
  api.service.name as event_source,
  api.operation as event_name,
  coalesce(api.response.error, api.response.message) as error,
  http_request.user_agent as user_agent,
  -- Of flows to an interface, that is the destination.
  nullif(dst_endpoint.interface_uid, '-') as interface,
  nullif(dst_endpoint.instance_uid, '-') as instance,
  nullif(dst_endpoint.vpc_uid, '-') as vpc,
  case when class_uid = 4001 then nullif(dst_endpoint.ip, '-') end as local_address,
  case when class_uid = 4001 then cast(dst_endpoint.port as varchar) end as local_port,
  cast(connection_info.protocol_num as varchar) as protocol,
  coalesce(cloud.account_uid, cloud.account.uid) as owner,
  cloud.region as region,
  -- An AWS service that calls is named by its domain.
  nullif(coalesce(src_endpoint.ip, src_endpoint.domain), '-') as ip,
  case
    when "time" is null and class_uid is null and src_endpoint is null then 'unreadable-record'
    when "time" is null then 'no-event-time'
    when actor."user"."type" = 'AWSService' then 'aws-service'
    when coalesce(src_endpoint.ip, src_endpoint.domain) like 'AWS Internal%' then 'aws-internal'
    when class_uid = 4001 and status_code = 'NODATA' then 'no-data'
    when class_uid = 4001 and status_code = 'SKIPDATA' then 'skipped-data'
    when class_uid = 4001 and coalesce(action_id, disposition_id) is null then 'no-action'
    when class_uid = 4001 and coalesce(action_id, disposition_id) <> 1 then 'rejected'
    when class_uid = 4001 and connection_info.direction_id = 2 then 'outbound'
    when class_uid = 4001 and coalesce(connection_info.direction_id, 0) <> 1 then 'no-direction'
  end as drop_reason
from {{table}}
where run = {{run}};
