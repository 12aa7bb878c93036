// Statements at random: sound ones, ones that were cut, swapped and grown together, and ones that mean harm. The same seed
// gives the same ones.

/** What an attacker would name: files and addresses that nothing may reach. */
export interface Bait {
  files: readonly string[]
  urls: readonly string[]
}

export type Random = () => number

/** Mulberry32: small, and the same everywhere. */
export function randomFrom(seed: number): Random {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const COLUMNS = [
  'symbol',
  'exchange',
  'price',
  'quantity',
  'exchange_timestamp',
  'side',
  '_offset',
  'vendor_data',
  'nope',
]
const TABLES = ['trades', 'quotes', 'reference_data', 'sequence_gaps', 'dead_letters', 'market_data.trades', 'cte']
const FUNCTIONS =
  'abs sum avg min max count list string_agg arg_max quantile_cont first lower upper length substr regexp_extract epoch_us date_trunc time_bucket list_transform unnest range generate_series coalesce notional vwap row_number lag map struct_pack json_extract histogram sqrt ln round hash strftime'.split(
    ' ',
  )
const FORBIDDEN =
  'read_text read_csv read_parquet read_blob read_json glob query query_table sniff_csv parquet_metadata duckdb_settings duckdb_secrets getenv current_setting json_execute_serialized_sql sql_auto_complete pragma_database_list sleep_ms nextval write_log repeat lpad which_secret read_duckdb'.split(
    ' ',
  )
const STATEMENTS = [
  "COPY trades TO 'FILE'",
  "COPY (SELECT 1) TO 'FILE' (FORMAT csv)",
  "ATTACH 'FILE' AS a",
  "ATTACH 'URL' AS a",
  'INSTALL httpfs',
  "LOAD 'FILE'",
  'SET enable_external_access = true',
  "SET allowed_directories = ['/']",
  "PRAGMA enable_profiling = 'json'",
  'CREATE TABLE t AS SELECT 1',
  "CREATE SECRET (TYPE s3, KEY_ID 'x')",
  "EXPORT DATABASE 'FILE'",
  "IMPORT DATABASE 'FILE'",
  'CALL force_checkpoint()',
  'DROP VIEW market_data.trades',
  'INSERT INTO trades VALUES (1)',
  "PREPARE p AS FROM 'FILE'",
]
const ODD = [
  '\u0000',
  '\u{1F600}',
  "'",
  '"',
  '$$',
  '--',
  '/*',
  '*/',
  ';',
  '\\',
  '(',
  ')',
  '[',
  '{',
  '\n',
  '\r',
  '--\r',
  'EXPLAIN ',
  '::',
  '=>',
  '%',
  'e308',
  '0x',
  "E'\\x",
  '$1',
  '?',
  ':a',
  '@',
  '\ufeff',
  '\u202e',
]

export function randomStatement(random: Random, bait: Bait): string {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]
  const chance = (p: number) => random() < p
  const baited = (text: string) => text.replace('FILE', pick(bait.files)).replace('URL', pick(bait.urls))

  function literal(): string {
    return pick([
      () => String(Math.floor(random() * 1e6)),
      () => `-${random()}`,
      () => '170141183460469231731687303715884105727',
      () => "'BHP'",
      () => `'${pick(bait.files)}'`,
      () => `'${pick(bait.urls)}'`,
      () => "TIMESTAMPTZ '2014-03-10'",
      () => "DATE 'infinity'",
      () => 'NULL',
      () => 'INTERVAL 1 DAY',
      () => '[1, 2, NULL]',
      () => "{'a': 1}",
      () => 'true',
      () => '1e308::DOUBLE',
    ])()
  }

  function expression(depth: number): string {
    if (depth <= 0) return chance(0.6) ? pick(COLUMNS) : literal()
    const inner = () => expression(depth - 1)
    return pick([
      () => `${pick(FUNCTIONS)}(${Array.from({ length: Math.floor(random() * 4) }, inner).join(', ')})`,
      () =>
        `${inner()} ${pick(['+', '-', '*', '/', '//', '%', '||', '=', '<>', '<', '>=', 'AND', 'OR', 'LIKE', 'IS DISTINCT FROM', '^', '<<', '->>'])} ${inner()}`,
      () =>
        `CAST(${inner()} AS ${pick(['INT', 'DECIMAL(38,8)', 'VARCHAR', 'TIMESTAMP', 'BLOB', 'INT[]', 'HUGEINT', 'DATE', 'nope', 'JSON'])})`,
      () => `CASE WHEN ${inner()} THEN ${inner()} ELSE ${inner()} END`,
      () => `(${select(depth - 1)})`,
      () => `${inner()} IN (${select(depth - 1)})`,
      () => `EXISTS (${select(depth - 1)})`,
      () => `${pick(FUNCTIONS)}(${inner()}) OVER (PARTITION BY ${inner()} ORDER BY ${inner()})`,
      () => `list_transform([${inner()}], lambda x: ${inner()})`,
      () => `(${inner()})[${inner()}]`,
      () => `${chance(0.15) ? pick(FORBIDDEN) : pick(FUNCTIONS)}(${literal()})`,
      () => `COLUMNS(${inner()})`,
      inner,
      literal,
    ])()
  }

  function table(depth: number): string {
    const source = pick([
      () => pick(TABLES),
      () => pick(TABLES),
      () => pick(TABLES),
      () => `(${select(depth - 1)})`,
      () => `range(${Math.floor(random() * 100)})`,
      () => `generate_series(1, 5)`,
      () => `(VALUES (${literal()}), (${literal()}))`,
      () => (chance(0.4) ? `${pick(FORBIDDEN)}('${pick([...bait.files, ...bait.urls])}')` : pick(TABLES)),
      () => (chance(0.4) ? `'${pick([...bait.files, ...bait.urls])}'` : pick(TABLES)),
      () => `trades AT (${pick(['VERSION', 'TIMESTAMP'])} => ${literal()})`,
      () => `unnest([${literal()}])`,
    ])()
    const alias = chance(0.3) ? ` AS ${pick(['t', 'u', 'cte', '"odd name"'])}` : ''
    if (depth <= 0 || chance(0.7)) return source + alias
    return `${source}${alias} ${pick(['JOIN', 'LEFT JOIN', 'ASOF JOIN', 'CROSS JOIN', 'POSITIONAL JOIN', 'SEMI JOIN', ', LATERAL'])} ${table(depth - 1)}${chance(0.6) ? ` ON ${expression(1)}` : ''}`
  }

  function select(depth: number): string {
    const items = Array.from({ length: 1 + Math.floor(random() * 3) }, () => (chance(0.2) ? '*' : expression(depth)))
    return [
      chance(0.1) ? `WITH cte AS (${depth > 0 ? select(depth - 1) : 'SELECT 1'})` : '',
      `SELECT ${chance(0.1) ? 'DISTINCT ' : ''}${items.join(', ')}`,
      chance(0.9) ? `FROM ${table(depth)}` : '',
      chance(0.4) ? `WHERE ${expression(depth)}` : '',
      chance(0.2) ? `GROUP BY ${pick(['ALL', '1', expression(0)])}` : '',
      chance(0.1) ? `HAVING ${expression(1)}` : '',
      chance(0.1) ? `QUALIFY ${expression(1)}` : '',
      chance(0.2) ? `ORDER BY ${pick(['ALL', '1', expression(0)])}` : '',
      chance(0.3) ? `LIMIT ${pick(['3', '10 OFFSET 2', '50%', expression(0)])}` : '',
      chance(0.05) && depth > 0
        ? `${pick(['UNION ALL', 'EXCEPT', 'INTERSECT', 'UNION BY NAME'])} ${select(depth - 1)}`
        : '',
    ]
      .filter(Boolean)
      .join(' ')
  }

  /** One that DuckDB runs. */
  function sound(): string {
    const where = chance(0.6)
      ? ` WHERE ${pick(["symbol = 'SYM3'", "symbol IN ('SYM1', 'SYM2')", 'price > 10.5', "exchange_timestamp >= '2014-03-10'", 'side IS NOT NULL', '_offset BETWEEN 3 AND 9', "symbol LIKE 'S%'"])}`
      : ''
    const from = pick([
      'trades',
      'market_data.trades',
      '(FROM trades LIMIT 20)',
      'trades USING SAMPLE 5',
      "trades AT (TIMESTAMP => '2100-01-01')",
    ])
    const plain = [
      'symbol',
      'price * 2',
      'price::DOUBLE',
      "strftime(exchange_timestamp, '%H')",
      'notional(price, quantity)',
      'vendor_data',
      'epoch_us(exchange_timestamp)',
      '[price, quantity]',
      "{'s': symbol}",
      'row_number() OVER (ORDER BY _offset)',
      'lag(price) OVER (PARTITION BY symbol ORDER BY _offset)',
      'hash(symbol)',
      'TRY_CAST(symbol AS INT)',
      "INTERVAL '1' DAY",
      'price::HUGEINT ** 9',
    ]
    const grouped = [
      'count(*)',
      'vwap(price, quantity)',
      'sum(quantity)',
      'arg_max(price, exchange_timestamp)',
      'list(price)',
      'histogram(side)',
      'quantile_cont(price, 0.5)',
      "string_agg(side, ',')",
      'max(exchange_timestamp)',
    ]
    if (chance(0.5))
      return `SELECT ${pick(plain)} AS a, ${pick(plain)} AS b FROM ${from}${where} LIMIT ${Math.floor(random() * 30)}`
    return `SELECT symbol, ${pick(grouped)} AS a, ${pick(grouped)} AS b FROM ${from}${where} GROUP BY symbol ORDER BY ${pick(['1', '2', 'ALL'])}`
  }

  function spoiled(text: string): string {
    const at = Math.floor(random() * text.length)
    return pick([
      () => text.slice(0, at),
      () => text.slice(at),
      () => text.slice(0, at) + pick(ODD) + text.slice(at),
      () => text.slice(0, at) + text.slice(at + Math.floor(random() * 8)),
      () => `${text}; ${baited(pick(STATEMENTS))}`,
      () =>
        text
          .split(' ')
          .sort(() => random() - 0.5)
          .join(' '),
      () => `${pick(['EXPLAIN ', 'EXPLAIN ANALYZE ', 'DESCRIBE ', 'SUMMARIZE ', '/* */'])}${text}`,
      () => text.replaceAll(/\btrades\b/g, () => (chance(0.5) ? 'quotes' : `'${pick(bait.files)}'`)),
    ])()
  }

  const kind = random()
  const statement = kind < 0.07 ? baited(pick(STATEMENTS)) : kind < 0.4 ? sound() : select(1 + Math.floor(random() * 3))
  return chance(0.35) ? spoiled(statement) : statement
}
