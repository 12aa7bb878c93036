// A plan as one SELECT over its Parquet files. Columns are found by field id, so that added, renamed, reordered,
// promoted, and dropped and added again ones read right; what a file lacks is null. Rows that other engines deleted are
// left out by file and position, in a read of their own, so that files without deletes are read plainly.
import type { DataFile } from '../iceberg/data-file.ts'
import type { Field } from '../iceberg/schema.ts'
import { bindFilter, type BoundCondition } from './bind-filter.ts'
import { kindOf } from './coordinates.ts'
import type { ScanFile } from './file-index.ts'
import type { ScanPlan } from './plan-scan.ts'
import { projectedFields } from './projection.ts'
import { sqlLiteral, sqlName, sqlPath, sqlText, sqlType } from './sql-literal.ts'

export interface ScanSqlOptions {
  columns?: readonly string[]
  /** Where DuckDB finds the plan's data and delete files, by their location. */
  filePaths: ReadonlyMap<string, string>
  /** Files that have no field ids: the names of the columns they hold, by field id. */
  columnNames?: ReadonlyMap<string, ReadonlyMap<number, string>>
}

export function scanSql(plan: ScanPlan, { columns, filePaths, columnNames }: ScanSqlOptions): string {
  const fields = projectedFields(plan.schema, columns)
  const conditions = bindFilter(plan.schema, plan.filter)
  const needed = [...new Set([...fields, ...conditions.map(({ field }) => field)])]
  const where = conditions.map(residual)
  const select = fields.map(({ name }) => sqlName(name)).join(', ')
  const pathOf = (file: DataFile) => requirePath(filePaths, file)

  const byId: ScanFile[] = []
  const withDeletes: ScanFile[] = []
  const byName: ScanFile[] = []
  for (const scanFile of plan.files) {
    if (columnNames?.has(scanFile.file.path)) byName.push(scanFile)
    else if (scanFile.deletes.length > 0) withDeletes.push(scanFile)
    else byId.push(scanFile)
  }

  const selectFrom = (from: string, more: string[] = []) => {
    const all = [...where, ...more]
    return `SELECT ${select} FROM ${from}${all.length > 0 ? ` WHERE ${all.join(' AND ')}` : ''}`
  }
  const parts: string[] = []
  if (byId.length > 0)
    parts.push(
      selectFrom(
        readFiles(
          byId.map(({ file }) => pathOf(file)),
          needed,
        ),
      ),
    )
  if (withDeletes.length > 0)
    parts.push(
      selectFrom(
        `${readFiles(
          withDeletes.map(({ file }) => pathOf(file)),
          needed,
          PLACE,
        )} AS data`,
        [notDeleted(withDeletes, pathOf)],
      ),
    )
  for (const scanFile of byName) {
    const names = columnNames!.get(scanFile.file.path)!
    const isPlain = scanFile.deletes.length === 0
    const from = readByName(pathOf(scanFile.file), needed, names)
    parts.push(selectFrom(`(${from}) AS data`, isPlain ? [] : [notDeleted([scanFile], pathOf)]))
  }
  return parts.length > 0 ? parts.join(' UNION ALL ') : nothing(fields)
}

function requirePath(filePaths: ReadonlyMap<string, string>, { path }: DataFile): string {
  const found = filePaths.get(path)
  if (found === undefined) throw new Error(`no path was given for ${path}`)
  return found
}

const PLACE = ', filename = true, file_row_number = true'

function readFiles(paths: readonly string[], fields: readonly Field[], more = ''): string {
  const schema = fields.map(
    ({ id, name, type }) => `${id}: {name: ${sqlText(name)}, type: ${sqlText(sqlType(type))}, default_value: NULL}`,
  )
  const files = paths.map(sqlPath).join(', ')
  return `read_parquet([${files}], hive_partitioning = false, schema = MAP {${schema.join(', ')}}${more})`
}

function readByName(path: string, fields: readonly Field[], names: ReadonlyMap<number, string>): string {
  const columns = fields.map(({ id, name, type }) => {
    const stored = names.get(id)
    return `CAST(${stored === undefined ? 'NULL' : sqlName(stored)} AS ${sqlType(type)}) AS ${sqlName(name)}`
  })
  return `SELECT ${columns.join(', ')}, filename, file_row_number FROM read_parquet([${sqlPath(path)}], hive_partitioning = false${PLACE})`
}

/** The reserved columns of position deletes, by their field ids. */
const DELETE_FIELDS: readonly Field[] = [
  { id: 2147483546, name: 'file_path', required: true, type: 'string' },
  { id: 2147483545, name: 'pos', required: true, type: 'long' },
]

/** A delete file may name data files that it does not apply to (newer ones), so each pair is told. */
function notDeleted(files: readonly ScanFile[], pathOf: (file: DataFile) => string): string {
  const pairs = files.flatMap(({ file, deletes }) =>
    deletes.map(entry => `(${sqlText(pathOf(entry))}, ${sqlText(file.path)}, ${sqlText(pathOf(file))})`),
  )
  const deletes = [...new Set(files.flatMap(scanFile => scanFile.deletes.map(pathOf)))]
  return (
    `NOT EXISTS (SELECT 1 FROM ${readFiles(deletes, DELETE_FIELDS, ', filename = true')} AS gone ` +
    `JOIN (VALUES ${pairs.join(', ')}) AS pair(delete_path, location, data_path) ` +
    'ON gone.filename = pair.delete_path AND gone.file_path = pair.location ' +
    'WHERE pair.data_path = data.filename AND gone.pos = data.file_row_number)'
  )
}

function residual({ field, type, condition }: BoundCondition): string {
  const name = sqlName(field.name)
  switch (condition.op) {
    case 'is null':
      return `${name} IS NULL`
    case 'is not null':
      return `${name} IS NOT NULL`
    case 'in':
      if (condition.values.length === 0) return 'FALSE'
      return `${name} IN (${condition.values.map(value => sqlLiteral(type, value)).join(', ')})`
    default: {
      const compared = `${name} ${condition.op} ${sqlLiteral(type, condition.value)}`
      // To DuckDB NaN is above all numbers. Here it passes no comparison, as bounds, which leave it out, have it.
      return kindOf(type) === 'float' ? `(${compared} AND NOT isnan(${name}))` : compared
    }
  }
}

function nothing(fields: readonly Field[]): string {
  const columns = fields.map(({ name, type }) => `CAST(NULL AS ${sqlType(type)}) AS ${sqlName(name)}`)
  return `SELECT ${columns.join(', ')} WHERE FALSE`
}
