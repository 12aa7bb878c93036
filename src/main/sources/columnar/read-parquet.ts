// A Parquet file through DuckDB, which is handed in as a function: it decodes, we convert.
import { rowsOf, type ColumnBatch } from '../../../contract/columns.ts'
import { Failure } from '../../../contract/failure.ts'
import type { ColumnarFile, SourceField, SourceKind } from './source-columns.ts'

/** Runs a statement and gives its answer in batches; rows of one file come in their order. */
export type ReadParquet = (sql: string, signal: AbortSignal) => AsyncIterable<ColumnBatch>

const KINDS: readonly (readonly [RegExp, SourceKind])[] = [
  [/^(VARCHAR|UUID|ENUM\(.*\))$/s, 'text'],
  [/^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/, 'whole'],
  [/^DECIMAL\(/, 'decimal'],
  [/^(FLOAT|DOUBLE)$/, 'double'],
  [/^BOOLEAN$/, 'boolean'],
  [/^DATE$/, 'date'],
  [/^TIMESTAMP WITH TIME ZONE$/, 'instant'],
  [/^TIMESTAMP(_S|_MS|_NS)?$/, 'wall'],
  [/^VARCHAR\[\]$/, 'list'],
  [/^MAP\(VARCHAR, VARCHAR\)$/, 'map'],
]

export async function openParquet(
  path: string,
  bytesTotal: number,
  readParquet: ReadParquet,
  signal: AbortSignal,
): Promise<ColumnarFile> {
  // A path with wildcards would be read as many files.
  const from = `read_parquet(${quoteText(path.replace(/[*?[\]]/g, '[$&]'))}, hive_partitioning = false)`
  const described = await all(readParquet(`DESCRIBE SELECT * FROM ${from}`, signal))
  const fields = described.map(({ column_name, column_type }) => fieldOf(column_name as string, column_type as string))
  const [counted] = await all(readParquet(`SELECT count(*) AS row_count FROM ${from}`, signal))
  const rowsTotal = Math.max(Number(counted.row_count), 1)
  const typeOf = new Map(fields.map(field => [field.name, field]))
  return {
    fields,
    async *read(names, reading) {
      const columns = names.map(name => `${exactly(typeOf.get(name)!)} AS ${quoteName(name)}`)
      let rows = 0
      for await (const batch of readParquet(`SELECT ${columns.join(', ')} FROM ${from}`, reading)) {
        rows += batch.rowCount
        yield { batch, bytesRead: Math.round((bytesTotal * Math.min(rows, rowsTotal)) / rowsTotal) }
      }
    },
  }
}

function fieldOf(name: string, typeName: string): SourceField {
  return { name, typeName, kind: KINDS.find(([pattern]) => pattern.test(typeName))?.[1] ?? 'other' }
}

/** A column so that nothing is lost on its way: a float as its own shortest decimal, what we have no kind for as text. */
function exactly({ name, kind, typeName }: SourceField): string {
  const column = quoteName(name)
  if (typeName === 'FLOAT') return `${column}::VARCHAR::DOUBLE`
  if (typeName === 'TIMESTAMP_NS') return `make_timestamp_ns(epoch_ns(${column}))::TIMESTAMP`
  return kind === 'other' || typeName === 'UUID' ? `${column}::VARCHAR` : column
}

async function all(batches: AsyncIterable<ColumnBatch>) {
  const rows = []
  for await (const batch of batches) rows.push(...rowsOf(batch))
  return rows
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function quoteText(text: string): string {
  if (text.includes('\0')) throw new Failure('INVALID_INPUT', 'A path cannot contain a zero byte.')
  return `'${text.replaceAll("'", "''")}'`
}
