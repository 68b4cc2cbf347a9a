const OCTET = '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'
const GROUPS = '([0-9a-f]{1,4}:)*[0-9a-f]{1,4}'
/** Runs of zeros that are shortened, longest first. */
const ZEROS = Array.from({ length: 7 }, (_, i) => `':${'0:'.repeat(8 - i)}'`).join(', ')

/**
 * `cast(try_cast(address as ipaddress) as varchar)` of Trino for DuckDB, whose own type for addresses is an extension to download: the text
 * of RFC 5952, IPv4-mapped addresses dotted; null for what is no IPv6 address.
 */
export const CANONICAL_IPV6 = `
  create macro number_of_hex(digits) as ('0x' || digits)::integer;
  create macro groups_of_octets(octets) as
    printf('%x:%x', octets[1]::integer * 256 + octets[2]::integer, octets[3]::integer * 256 + octets[4]::integer);
  create macro octets_of_group(digits) as (number_of_hex(digits) // 256) || '.' || (number_of_hex(digits) % 256);
  create macro ipv6_hexadecimal(address) as case
    when regexp_matches(address, ':(${OCTET}[.]){3}${OCTET}$')
      then regexp_extract(address, '^(.*:)', 1) || groups_of_octets(string_split(regexp_extract(address, '[0-9.]+$'), '.'))
    else address
  end;
  create macro ipv6_expanded(address) as case
    when regexp_matches(address, '^([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$') then address
    when regexp_matches(address, '^(${GROUPS})?::(${GROUPS})?$')
      and len(list_filter(string_split(address, ':'), lambda digits: digits <> '')) < 8
      then trim(replace(address, '::', ':' || repeat('0:', 8 - len(list_filter(string_split(address, ':'), lambda digits: digits <> '')))), ':')
  end;
  create macro ipv6_groups(address) as ':' || array_to_string(
    list_transform(string_split(ipv6_expanded(ipv6_hexadecimal(address)), ':'), lambda digits: printf('%x', number_of_hex(digits))), ':') || ':';
  create macro ipv6_shortened(groups, zeros) as regexp_replace(regexp_replace(
    case when zeros is null then groups
      else substr(groups, 1, strpos(groups, zeros) - 1) || '::' || substr(groups, strpos(groups, zeros) + length(zeros))
    end, '^:([^:])', '\\1'), '([^:]):$', '\\1');
  create macro ipv6_text(groups) as case
    when starts_with(groups, ':0:0:0:0:0:ffff:')
      then octets_of_group(string_split(groups, ':')[8]) || '.' || octets_of_group(string_split(groups, ':')[9])
    else ipv6_shortened(groups, list_filter([${ZEROS}], lambda zeros: contains(groups, zeros))[1])
  end;
  create macro canonical_ipv6(address) as ipv6_text(ipv6_groups(lower(address)));`
