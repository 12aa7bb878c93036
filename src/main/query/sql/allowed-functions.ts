// The functions that people may call in SQL: those that compute from their arguments alone. What is not here is refused,
// so that a new version of DuckDB opens nothing: functions that read files, settings, variables or the catalog, that
// run texts as SQL, wait, or write a log are left out on purpose.

const words = (text: string) => text.trim().split(/\s+/)

const OPERATORS = words(`
  + - * / // % ** ^ & | ~ ~~ !~~ ~~* !~~* ~~~ << >> || ! !__postfix @ && ^@ <@ @> <-> <=> -> ->>
  like_escape ilike_escape not_like_escape not_ilike_escape`)

const NUMBERS = words(`
  abs acos acosh add asin asinh atan atan2 atanh bit_count cbrt ceil ceiling cos cosh cot degrees divide even exp
  factorial fdiv floor fmod gamma gcd greatest greatest_common_divisor hash isfinite isinf isnan lcm least
  least_common_multiple lgamma ln log log10 log2 mod multiply nextafter pi pow power radians random round round_even
  roundbankers sign signbit sin sinh sqrt subtract tan tanh trunc xor`)

const TEXTS = words(`
  array_to_string ascii bar base64 bin bit_length char_length character_length chr concat concat_ws contains
  damerau_levenshtein decode editdist3 encode ends_with format formatReadableDecimalSize formatReadableSize format_bytes
  from_base64 from_binary from_hex hamming hex instr jaccard jaro_similarity jaro_winkler_similarity lcase left
  left_grapheme length length_grapheme levenshtein lower lpad ltrim md5 mismatches nfc_normalize octet_length ord position
  prefix printf regexp_escape regexp_extract regexp_extract_all regexp_full_match regexp_matches regexp_replace
  regexp_split_to_array repeat replace reverse right right_grapheme rpad rtrim sha1 sha256 split split_part starts_with
  str_split str_split_regex string_split string_split_regex string_to_array strip_accents strlen strpos substr substring
  substring_grapheme suffix to_base to_base64 to_binary to_hex translate trim ucase unbin unhex unicode upper url_decode
  url_encode uuid`)

const TIMES = words(`
  age ago century current_date current_localtime current_localtimestamp date_add date_diff date_part date_sub date_trunc
  datediff datepart datesub datetrunc day dayname dayofmonth dayofweek dayofyear days_in_month decade epoch epoch_ms
  epoch_ns epoch_us era get_current_time get_current_timestamp hour isodow isoyear julian last_day make_date make_time
  make_timestamp make_timestamp_ms make_timestamp_ns make_timestamptz microsecond millennium millisecond minute month
  monthname nanosecond normalized_interval now quarter second strftime strptime time_bucket timezone timezone_hour
  timezone_minute to_centuries to_days to_decades to_hours to_microseconds to_millennia to_milliseconds to_minutes
  to_months to_quarters to_seconds to_timestamp to_weeks to_years today transaction_timestamp try_strptime week weekday
  weekofyear year yearweek`)

const NESTED = words(`
  array_aggr array_aggregate array_append array_apply array_cat array_concat array_contains array_cross_product
  array_distance array_distinct array_dot_product array_extract array_filter array_grade_up array_has array_has_all
  array_has_any array_indexof array_inner_product array_intersect array_length array_pop_back array_pop_front
  array_position array_prepend array_push_back array_push_front array_reduce array_reverse array_reverse_sort array_select
  array_slice array_sort array_transform array_unique array_value array_where array_zip cardinality element_at
  equi_width_bins filter flatten generate_series grade_up is_histogram_other_bin json_array_length json_contains
  json_exists json_extract json_extract_path json_extract_path_text json_extract_string json_keys json_type json_valid
  json_value len list_aggr list_aggregate list_any_value list_append list_apply list_approx_count_distinct list_avg
  list_bit_and list_bit_or list_bit_xor list_bool_and list_bool_or list_cat list_concat list_contains list_count
  list_distance list_distinct list_dot_product list_element list_entropy list_extract list_filter list_first
  list_grade_up list_has list_has_all list_has_any list_histogram list_indexof list_inner_product list_intersect
  list_kurtosis list_kurtosis_pop list_last list_mad list_max list_median list_min list_mode list_pack list_position
  list_prepend list_product list_reduce list_reverse list_reverse_sort list_select list_sem list_skewness list_slice
  list_sort list_stddev_pop list_stddev_samp list_string_agg list_sum list_transform list_unique list_value list_var_pop
  list_var_samp list_where list_zip map map_concat map_contains map_contains_entry map_contains_value map_entries
  map_extract map_extract_value map_from_entries map_keys map_values range reduce row row_to_json struct_concat
  struct_contains struct_extract struct_extract_at struct_has struct_indexof struct_insert struct_keys struct_pack
  struct_position struct_update struct_values to_json unnest unpivot_list`)

const AGGREGATES = words(`
  any_value approx_count_distinct approx_quantile approx_top_k arbitrary arg_max arg_max_null arg_max_nulls_last arg_min
  arg_min_null arg_min_nulls_last argmax argmin array_agg avg bit_and bit_or bit_xor bool_and bool_or corr count count_if
  count_star countif covar_pop covar_samp cume_dist dense_rank entropy favg fill first first_value fsum geomean
  geometric_mean group_concat histogram histogram_exact kahan_sum kurtosis kurtosis_pop lag last last_value lead list
  listagg mad max max_by mean median min min_by mode nth_value ntile percent_rank product quantile quantile_cont
  quantile_disc rank rank_dense regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy
  regr_syy reservoir_quantile row_number sem skewness stddev stddev_pop stddev_samp string_agg sum sumkahan var_pop
  var_samp variance wavg weighted_avg`)

const OTHERS = words(`
  alias can_cast_implicitly constant_or_null error get_type nullif pg_typeof typeof version
  notional vwap`)

const ALLOWED: ReadonlySet<string> = new Set(
  [OPERATORS, NUMBERS, TEXTS, TIMES, NESTED, AGGREGATES, OTHERS].flat().map(name => name.toLowerCase()),
)

/** In the place of a table. */
const TABLE_FUNCTIONS: ReadonlySet<string> = new Set(['range', 'generate_series', 'unnest'])

export function isAllowedFunction(name: string): boolean {
  return ALLOWED.has(name.toLowerCase())
}

export function isAllowedTableFunction(name: string): boolean {
  return TABLE_FUNCTIONS.has(name.toLowerCase())
}

/**
 * Where in their arguments these say how long a value gets. DuckDB takes the memory for one value beyond its limit and
 * is not to be stopped meanwhile: 900 MB are there after one call of repeat.
 */
export const LENGTH_ARGUMENTS: Readonly<Record<string, readonly number[]>> = {
  repeat: [1],
  lpad: [1],
  rpad: [1],
  range: [0, 1],
  generate_series: [0, 1],
}
export const MAX_LENGTH = 100_000

/** Their first argument says how long a value gets, in its own words. */
export const FORMATTING: ReadonlySet<string> = new Set(['printf', 'format'])
