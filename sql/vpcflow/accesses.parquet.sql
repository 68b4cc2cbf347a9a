-- VPC Flow Logs in Parquet on Athena: the flat relation `accesses`, one row a record.
-- Input:  {{table}}, the table of table.parquet.sql; {{run}}, the id of a run, as a literal.
-- Output: the columns of accesses.athena.sql, in its order; event_time in milliseconds since 1970.
-- Cost:   scans the columns that it names, of all staged objects of the run.
with fields (
  started, ended, action, status, flow, src, dst, pkt_src, pkt_dst, src_port, dst_port, protocol, interface, instance,
  vpc, account, region, bytes, src_service, dst_service, run
) as (
  select
    cast("start" as varchar),
    cast("end" as varchar),
    nullif(nullif("action", '-'), ''),
    nullif(nullif("log_status", '-'), ''),
    nullif(nullif("flow_direction", '-'), ''),
    nullif(nullif("srcaddr", '-'), ''),
    nullif(nullif("dstaddr", '-'), ''),
    nullif(nullif("pkt_srcaddr", '-'), ''),
    nullif(nullif("pkt_dstaddr", '-'), ''),
    cast("srcport" as varchar),
    cast("dstport" as varchar),
    cast("protocol" as varchar),
    nullif(nullif("interface_id", '-'), ''),
    nullif(nullif("instance_id", '-'), ''),
    nullif(nullif("vpc_id", '-'), ''),
    nullif(nullif("account_id", '-'), ''),
    nullif(nullif("region", '-'), ''),
    cast("bytes" as varchar),
    nullif(nullif("pkt_src_aws_service", '-'), ''),
    nullif(nullif("pkt_dst_aws_service", '-'), ''),
    run
  from {{table}}
  where run = {{run}}
),
-- Which end is the interface's: as logged, else the one that is private when the other is not.
flows as (
  select fields.*, case
      when flow in ('ingress', 'egress') then flow = 'ingress'
      else nullif(
        if(regexp_like(coalesce(dst, pkt_dst), '^(10|127)[.]|^100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])[.]|^169[.]254[.]|^172[.](1[6-9]|2[0-9]|3[01])[.]|^192[.]168[.]'), 1, 0)
        - if(regexp_like(coalesce(src, pkt_src), '^(10|127)[.]|^100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])[.]|^169[.]254[.]|^172[.](1[6-9]|2[0-9]|3[01])[.]|^192[.]168[.]'), 1, 0),
        0
      ) > 0
    end as inbound from fields
)
select
  case when regexp_like(coalesce(started, ended), '^[0-9]{1,12}\z') then cast(coalesce(started, ended) as bigint) * 1000 end as event_time,
  interface || ' ' || protocol || ' ' || coalesce(pkt_src, src) || ' ' || src_port || ' ' || coalesce(pkt_dst, dst) || ' ' || dst_port
    || ' ' || started || ' ' || ended || ' ' || action as event_id,
  interface as interface,
  instance as instance,
  vpc as vpc,
  -- As the interface has it: packets may be meant for an address behind it.
  case inbound when true then coalesce(dst, pkt_dst) when false then coalesce(src, pkt_src) end as local_address,
  case inbound when true then dst_port when false then src_port end as local_port,
  protocol as protocol,
  bytes as bytes,
  if(inbound, 'ingress', if(not inbound, 'egress', null)) as direction,
  action as action,
  account as account,
  region as region,
  -- Whose address the other end is, where it belongs to an AWS service.
  case inbound when true then src_service when false then dst_service end as aws_service,
  -- As the packets have it: the other end may be a NAT gateway or a load balancer before it.
  if(not inbound, coalesce(pkt_dst, dst), coalesce(pkt_src, src)) as ip,
  case
    when started is null and ended is null and src is null and dst is null and pkt_src is null and pkt_dst is null
      and action is null and status is null then 'unreadable-record'
    when not coalesce(regexp_like(coalesce(started, ended), '^[0-9]{1,12}\z'), false) then 'no-event-time'
    when status = 'NODATA' then 'no-data'
    when status = 'SKIPDATA' then 'skipped-data'
    when action is null then 'no-action'
    when action <> 'ACCEPT' then 'rejected'
    when not inbound then 'outbound'
    -- What comes by IPv6 is told as that.
    when inbound is null and not coalesce(strpos(coalesce(pkt_src, src), ':') > 0, false) then 'no-direction'
  end as drop_reason
from flows
where run = {{run}};
