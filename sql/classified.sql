-- The relation `classified`: every access with the chosen entity, encoded, its part of the split, and, where it is not a pair, the one
-- reason. For Trino and DuckDB alike.
-- Input:  accesses; {{entity}}, a column of it, and {{encoded}}, the codec over it; {{from}}, {{to}} and {{cutoff}} in milliseconds
--         since 1970; {{include_private}}; {{delivery}}: delivery.sql, or 1 where repeated deliveries count; {{address}}, the column
--         ip with the text of RFC 5952 for IPv6 addresses, IPv4-mapped ones dotted; {{ipv6}}: whether those are kept.
-- Output: event_time, entity, ip, family: 4 or 6, part, drop_reason.
-- Cost:   that of accesses: on Athena one scan of the run's staged objects.
with chosen as (
  select event_time, event_id, {{entity}} as entity, ip, drop_reason
  from accesses
),
read as (
  select event_time, event_id, entity, {{address}} as ip, drop_reason from chosen
),
judged as (
  select
    event_time,
    event_id,
    entity,
    ip,
    case when strpos(ip, ':') > 0 then 6 else 4 end as family,
    case
      when drop_reason in ('unreadable-record', 'no-event-time') then drop_reason
      when event_time < {{from}} or event_time >= {{to}} then 'outside-window'
      when drop_reason is not null then drop_reason
      when ip is null or ip = '' then 'no-address'
      when not {{ipv6}} and strpos(ip, ':') > 0 then 'ipv6'
      -- Four decimal octets without leading zeros. A name is looked for only where there is no address: patterns take time.
      when not regexp_like(
        ip,
        '^[0-9a-f:]*:[0-9a-f:]*\z|^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\z'
      ) then case
        when regexp_like(ip, '^([a-z0-9-]+[.])+[a-z][a-z]+\z') then 'service-name'
        when true then 'invalid-address'
      end
      -- Not routed on the Internet: IANA's IPv4 special-purpose registry, multicast and class E; of IPv6 all but 2000::/3, and in it what
      -- IANA's registry has for protocols (2001::/23) and documentation.
      when not {{include_private}} and regexp_like(
        ip,
        '^(0|10|127|22[4-9]|2[3-5][0-9])[.]|^100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])[.]|^169[.]254[.]|^172[.](1[6-9]|2[0-9]|3[01])[.]|^192[.](168|88[.]99|0[.][02])[.]|^198[.](1[89]|51[.]100)[.]|^203[.]0[.]113[.]|^[0-9a-f]{0,3}:|^[014-9a-f][0-9a-f]{3}:|^2001:(1?[0-9a-f]{0,2}|db8):|^3fff:[0-9a-f]{0,3}:'
      ) then 'private-address'
      when entity is null or entity = '' then 'no-entity'
      -- Encoding makes it up to four times as long, and a row of pairs has at most 64 KiB.
      when length(entity) > 16000 then 'long-entity'
    end as drop_reason
  from read
),
delivered as (
  select event_time, entity, ip, family, drop_reason, {{delivery}} as delivery
  from judged
)
select
  event_time,
  {{encoded}} as entity,
  ip,
  family,
  case when event_time >= {{cutoff}} then 'holdout' else 'train' end as part,
  case when delivery > 1 then 'repeated-delivery' else drop_reason end as drop_reason
from delivered;
