// The SQL catalog in a SQLite file, the same tables that PyIceberg's SqlCatalog and Java's JdbcCatalog use, which may
// have it open at the same time.
import { systemClock, type Clock } from '../../base/clock.ts'
import type { FileIO } from '../io/file-io.ts'
import type { Catalog, TableName } from './catalog.ts'
import { createRowCatalog, type TableRows } from './row-catalog.ts'
import { openSqlFile, type SqlFile } from './sql-file.ts'
import { sqlFailure } from './sql-failure.ts'

export interface SqlCatalogOptions {
  /** Made with its folder where there is none. */
  file: string
  /** Several catalogs can share a file. */
  name: string
  io: FileIO
  /** Where a table goes whose metadata names no location. */
  warehouse: string
  clock?: Clock
  /** How long another program may hold the file before an operation fails. */
  waitForLockMs?: number
}

// A rollback journal, which is SQLite's default, and not a write-ahead log: that one needs memory shared by all who
// have the file open, which no network folder gives, and leaves part of the catalog in a second file that a copy of
// the warehouse would lack. It costs 0.6 ms a commit. A file that another program has put into that mode stays in it.
// EXTRA and not FULL: with the latter a power cut can bring the journal back, and undo a commit that was reported.
const SET_UP = [
  'PRAGMA synchronous = EXTRA',
  'PRAGMA fullfsync = ON', // what macOS needs for fsync to mean it
  `CREATE TABLE IF NOT EXISTS iceberg_tables(
    catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL,
    metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000), iceberg_type VARCHAR(5),
    PRIMARY KEY (catalog_name, table_namespace, table_name))`,
  `CREATE TABLE IF NOT EXISTS iceberg_namespace_properties(
    catalog_name VARCHAR(255) NOT NULL, namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255) NOT NULL,
    property_value VARCHAR(1000) NOT NULL, PRIMARY KEY (catalog_name, namespace, property_key))`,
]

const ONE = 'catalog_name = ? AND table_namespace = ? AND table_name = ?'
const INSERT = `INSERT INTO iceberg_tables(catalog_name, table_namespace, table_name, metadata_location)
  VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`
const SWAP = `UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = ?
  WHERE ${ONE} AND metadata_location = ?`
const MARK_NAMESPACE = `INSERT INTO iceberg_namespace_properties(catalog_name, namespace, property_key, property_value)
  VALUES (?, ?, 'exists', 'true') ON CONFLICT DO NOTHING`

export function openSqlCatalog(options: SqlCatalogOptions): Catalog {
  const { file, name, io, warehouse, clock = systemClock, waitForLockMs } = options
  const rows = sqlRows(openSqlFile(file, { setUp: SET_UP, waitForLockMs }), name)
  const translate = (error: unknown) => sqlFailure(file, error)
  return createRowCatalog({ about: `the SQL catalog ${file}`, rows, io, warehouse, clock, translate })
}

function sqlRows(sql: SqlFile, catalog: string): TableRows {
  const keyOf = ({ namespace, name }: TableName) => [catalog, namespace, name]
  let typed: Promise<boolean> | undefined

  /** Java's first form of these tables has no column for the type, and holds tables only. */
  function hasTypes(): Promise<boolean> {
    typed ??= sql
      .read('name', "FROM pragma_table_info('iceberg_tables')", [])
      .then(columns => columns.includes('iceberg_type'))
    typed.catch(() => (typed = undefined))
    return typed
  }

  /** Views are rows too. */
  async function where(condition: string): Promise<string> {
    const tablesOnly = (await hasTypes()) ? ` AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL)` : ''
    return `FROM iceberg_tables WHERE ${condition}${tablesOnly}`
  }

  return {
    async list(namespace) {
      const names = await where('catalog_name = ? AND table_namespace = ?')
      return sql.read('table_name', `${names} ORDER BY table_name`, [catalog, namespace]) as Promise<string[]>
    },
    async find(table) {
      const [location] = await sql.read('metadata_location', await where(ONE), keyOf(table))
      return location
    },
    async insert(table, location) {
      const types = await hasTypes()
      return sql.write(run => {
        run(MARK_NAMESPACE, [catalog, table.namespace])
        const inserted = run(INSERT, [...keyOf(table), location]) === 1
        if (inserted && types) run(`UPDATE iceberg_tables SET iceberg_type = 'TABLE' WHERE ${ONE}`, keyOf(table))
        return inserted
      })
    },
    swap: (table, from, to) => sql.write(run => run(SWAP, [to, from, ...keyOf(table), from]) === 1),
    async remove(table) {
      const statement = `DELETE ${await where(ONE)}`
      return sql.write(run => run(statement, keyOf(table)) === 1)
    },
    close: () => sql.close(),
  }
}
