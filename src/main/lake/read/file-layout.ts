// Which columns the files of a plan hold, told by their footers. Files that another engine's `add_files` took into a
// table have no field ids, and may lack the columns they are partitioned by; both would read as nulls.
import type { DuckDBConnection } from '@duckdb/node-api'
import { readBatch } from '../../duck/read-batch.ts'
import { Failure } from '../../../contract/failure.ts'
import type { DataFile } from '../iceberg/data-file.ts'
import type { PartitionSpec } from '../iceberg/metadata.ts'
import type { Schema, Value } from '../iceberg/schema.ts'
import { sqlPath } from './sql-literal.ts'

/** Of a file that cannot be read by field id alone. */
export interface FileLayout {
  /** Without field ids: the names of its columns, by the ids they stand for. */
  names?: ReadonlyMap<number, string>
  /** What all rows have in the columns that the file lacks, as its partition tells. */
  constants: ReadonlyMap<number, Value | null>
}

export interface LayoutQuestion {
  schema: Schema
  specs: readonly PartitionSpec[]
  /** Property `schema.name-mapping.default` of the table, where it has one. */
  nameMapping: string | undefined
  filePaths: ReadonlyMap<string, string>
  signal?: AbortSignal
}

interface Footer {
  /** Of columns, and of what is inside them. */
  ids: ReadonlySet<number>
  names: readonly string[]
  /** Only names that DuckDB, to which case is nothing, tells from all others. */
  nameById: ReadonlyMap<number, string>
}

/** Each file is asked once: measured, 40 µs a file. */
const footers = new WeakMap<DataFile, Footer>()

/** The name that a file has for a column; nothing where it has none, another is the same to DuckDB, or nobody has looked. */
export function storedName(file: DataFile, id: number): string | undefined {
  return footers.get(file)?.nameById.get(id)
}

/** Only of the files that need one. */
export async function fileLayouts(
  connection: DuckDBConnection,
  files: readonly DataFile[],
  question: LayoutQuestion,
): Promise<Map<string, FileLayout>> {
  await readFooters(
    connection,
    files.filter(file => !footers.has(file)),
    question,
  )
  const layouts = new Map<string, FileLayout>()
  for (const file of files) {
    const layout = layoutOf(file, footers.get(file)!, question)
    if (layout) layouts.set(file.path, layout)
  }
  return layouts
}

function layoutOf(file: DataFile, { ids, names }: Footer, question: LayoutQuestion): FileLayout | undefined {
  const byName = ids.size === 0 ? namesById(names, question) : undefined
  const constants = new Map<number, Value | null>()
  question.specs
    .find(spec => spec['spec-id'] === file.specId)
    ?.fields.forEach(({ transform, 'source-id': id }, i) => {
      if (transform === 'identity' && !(byName ?? ids).has(id)) constants.set(id, file.partition[i] ?? null)
    })
  return byName || constants.size > 0 ? { names: byName, constants } : undefined
}

interface MappedField {
  'field-id'?: number
  names: string[]
}

function namesById(names: readonly string[], { schema, nameMapping }: LayoutQuestion): Map<number, string> {
  const mapped: MappedField[] =
    nameMapping === undefined
      ? schema.fields.map(({ id, name }) => ({ 'field-id': id, names: [name] }))
      : parseMapping(nameMapping)
  return new Map(
    mapped.flatMap(({ 'field-id': id, names: candidates }) => {
      const found = names.find(name => candidates.includes(name))
      return id === undefined || found === undefined ? [] : [[id, found] as const]
    }),
  )
}

function parseMapping(text: string): MappedField[] {
  try {
    const mapping: unknown = JSON.parse(text)
    if (Array.isArray(mapping) && mapping.every(entry => Array.isArray((entry as MappedField).names)))
      return mapping as MappedField[]
  } catch {
    // said below
  }
  throw new Failure(
    'INVALID_INPUT',
    "The table's property schema.name-mapping.default is not a name mapping, and files without field ids need it; " +
      'nothing was read. Set it anew with the engine that added those files.',
  )
}

async function readFooters(
  connection: DuckDBConnection,
  files: readonly DataFile[],
  { filePaths, signal }: LayoutQuestion,
): Promise<void> {
  if (files.length === 0) return
  const byPath = new Map(files.map(file => [filePaths.get(file.path)!, file]))
  const { columns, rowCount } = await readBatch(
    connection,
    `SELECT file_name, to_json(list(field_id ORDER BY column_id)) AS ids, to_json(list(name ORDER BY column_id)) AS names
     FROM parquet_schema([${[...byPath.keys()].map(sqlPath).join(', ')}]) WHERE column_id > 0 GROUP BY file_name`,
    signal,
  )
  const text = (name: string, row: number) => columns[name].words![Number(columns[name].values[row])] as string
  for (let row = 0; row < rowCount; row++) {
    const file = byPath.get(text('file_name', row))
    const ids = JSON.parse(text('ids', row)) as (number | null)[]
    const names = JSON.parse(text('names', row)) as string[]
    if (file) footers.set(file, footerOf(ids, names))
  }
}

function footerOf(ids: readonly (number | null)[], names: readonly string[]): Footer {
  const timesNamed = new Map<string, number>()
  for (const name of names) timesNamed.set(name.toLowerCase(), (timesNamed.get(name.toLowerCase()) ?? 0) + 1)
  const named = ids.flatMap((id, i) => (id === null ? [] : [[id, names[i]] as const]))
  const nameById = new Map(named.filter(([, name]) => timesNamed.get(name.toLowerCase()) === 1))
  return { ids: new Set(named.map(([id]) => id)), names, nameById }
}
