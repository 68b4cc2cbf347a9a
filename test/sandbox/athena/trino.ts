import { CANONICAL_IPV6 } from '../../../scripts/lib/engines/duckdb/address.ts'

/** Makes DuckDB understand Trino. A macro shadows a function of the same name that means something else. */
export const PREPARATION = `
  ${CANONICAL_IPV6}
  set TimeZone = 'UTC';
  set integer_division = true;
  set lambda_syntax = 'ENABLE_SINGLE_ARROW';
  -- In Trino $ also stands before a line break at the end.
  create macro regexp_like(s, p) as regexp_matches(s, p)
    or (ends_with(p, '$') and ends_with(s, chr(10)) and regexp_matches(s[:-2], p));
  create macro regexp_replace(s, p) as system.main.regexp_replace(s, p, '', 'g'),
    (s, p, r) as system.main.regexp_replace(s, p, r, 'g');
  create macro regexp_extract(s, p) as case when regexp_matches(s, p) then system.main.regexp_extract(s, p) end,
    (s, p, g) as case when regexp_matches(s, p) then system.main.regexp_extract(s, p, g) end;
  create macro url_decode(s) as system.main.url_decode(replace(s, '+', ' '));
  create macro split_part(s, d, i) as list_extract(string_split(s, d), i);
  create macro array_position(l, x) as coalesce(list_position(l, x), 0);
  create macro element_at(l, i) as list_extract(l, i);
  create macro sequence(a, b) as generate_series(a, b);
  create macro cardinality(l) as len(l);
  create macro array_join(l, d) as array_to_string(l, d);
  create macro concat(a, b) as a || b, (a, b, c) as a || b || c, (a, b, c, d) as a || b || c || d;
  create macro from_iso8601_timestamp(s) as cast(
    case when regexp_matches(s, '^[0-9]{4}-[0-9]{2}(-[0-9]{2}(T([0-9]{2}(:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?)?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?)?$')
      then s else 'no ISO 8601: ' || s end as timestamptz);
  -- DuckDB wants to know the format beforehand.
  create macro date_parse(s, f) as
    case f when '%Y%m%dT%H%iZ' then strptime(s, '%Y%m%dT%H%MZ')
    when '%d/%b/%Y:%H:%i:%s +0000' then strptime(s, '%d/%b/%Y:%H:%M:%S +0000') else cast('date_parse knows two formats here: ' || f as timestamp) end;
  create macro to_unixtime(t) as epoch(t);
  create macro from_unixtime(s) as to_timestamp(s);
  -- Names stand in brackets there; what is no JSON has no members.
  create macro json_extract_scalar(j, p) as case when json_valid(j)
    then json_extract_string(j, system.main.regexp_replace(p, '\\["([^"]*)"\\]', '."\\1"', 'g')) end;
  create macro approx_distinct(x) as approx_count_distinct(x);
  create macro to_milliseconds(i) as cast(epoch(i) * 1000 as bigint);`

/** Functions that mean the same in Trino and in DuckDB, and those above. */
export const FUNCTIONS: ReadonlySet<string> = new Set(
  `regexp_like regexp_replace regexp_extract split_part element_at cardinality array_join concat from_iso8601_timestamp to_unixtime from_unixtime
  json_extract_scalar approx_distinct to_milliseconds abs avg ceil ceiling chr coalesce contains count count_if count_star current_date
  date_diff date_trunc dense_rank filter first_value floor greatest lag last_value lead least length ln lower lpad ltrim max max_by min min_by
  mod nullif ntile now power rank replace reverse round row_number rpad rtrim sqrt stddev strpos substr substring sum translate trim
  date_parse url_decode split upper variance arbitrary bool_and bool_or every starts_with year month day hour minute second row unnest sequence current_timestamp if
  typeof sign bit_count levenshtein_distance any_value array_agg array_distinct array_position array_sort
  list_value cast try try_cast percent_rank cume_dist nth_value constant_or_null random`
    .trim()
    .split(/\s+/),
)

/** Other functions of Trino, by "List of functions and operators" of its documentation: not in this sandbox. */
const OTHERS: ReadonlySet<string> = new Set(
  `acos all_match any_match approx_most_frequent approx_percentile approx_set array_except array_first array_histogram
  array_intersect array_last array_max array_min array_remove array_union arrays_overlap asin
  at_timezone atan atan2 bar beta_cdf bitwise_and bitwise_and_agg bitwise_left_shift bitwise_not bitwise_or
  bitwise_or_agg bitwise_right_shift bitwise_right_shift_arithmetic bitwise_xor cbrt char2hexint checksum classify
  codepoint color combinations concat_ws contains_sequence corr cos cosh cosine_distance cosine_similarity covar_pop
  covar_samp crc32 current_timezone current_user date date_add date_format day_of_month day_of_week
  day_of_year degrees dow doy e empty_approx_set ends_with evaluate_classifier_predictions exp features flatten format
  format_datetime format_number from_base from_base32 from_base64 from_base64url from_big_endian_32 from_big_endian_64
  from_encoded_polyline from_geojson_geometry from_hex from_ieee754_32 from_ieee754_64 from_iso8601_date
  from_iso8601_timestamp_nanos from_unixtime_nanos from_utf8 geometric_mean great_circle_distance grouping
  hamming_distance hash_counts histogram hmac_md5 hmac_sha1 hmac_sha256 hmac_sha512 human_readable_seconds index
  infinity intersection_cardinality inverse_beta_cdf inverse_normal_cdf is_finite is_infinite is_json_scalar is_nan
  jaccard_index json_array json_array_contains json_array_get json_array_length json_exists json_extract json_format
  json_object json_parse json_query json_size json_value kurtosis last_day_of_month learn_classifier
  learn_libsvm_classifier learn_libsvm_regressor learn_regressor line_interpolate_point line_locate_point listagg
  localtime localtimestamp log log10 log2 luhn_check make_set_digest map map_agg map_concat map_entries map_filter
  map_from_entries map_keys map_union map_values map_zip_with md5 merge merge_set_digest millisecond multimap_agg
  multimap_from_entries murmur3 nan ngrams none_match normal_cdf normalize numeric_histogram parse_data_size
  parse_datetime parse_duration pi position pow qdigest_agg quarter radians rand reduce reduce_agg regexp_count
  regexp_extract_all regexp_position regexp_split regr_intercept regr_slope regress render repeat rgb
  sha1 sha256 sha512 shuffle simplify_geometry sin sinh skewness slice soundex spatial_partitioning spooky_hash_v2_32
  spooky_hash_v2_64 split_to_map split_to_multimap stddev_pop stddev_samp tan tanh tdigest_agg timezone
  timezone_hour timezone_minute to_base to_base32 to_base64 to_base64url to_big_endian_32 to_big_endian_64 to_char
  to_date to_encoded_polyline to_geojson_geometry to_geometry to_hex to_ieee754_32 to_ieee754_64 to_iso8601
  to_spherical_geography to_timestamp to_utf8 transform transform_keys transform_values trim_array truncate 
  url_encode url_extract_fragment url_extract_host url_extract_parameter url_extract_path url_extract_port
  url_extract_protocol url_extract_query uuid value_at_quantile values_at_quantiles var_pop var_samp version week
  week_of_year width_bucket wilson_interval_lower wilson_interval_upper with_timezone word_stem xxhash64 year_of_week
  yow zip zip_with`
    .trim()
    .split(/\s+/),
)

/** Whether Trino has a function of this name; geometry and map tiles by the beginning of their names. */
export const isTrinoFunction = (name: string): boolean =>
  FUNCTIONS.has(name) || OTHERS.has(name) || /^(st_|bing_tile|geometry_)/.test(name)
