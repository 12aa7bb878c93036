// A DuckDB of its own for one statement: it can open the files of the tables that were planned, write one file where that
// is asked for, and nothing else; its settings are locked. The check of the statement is the first wall, this is the second.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { quoteName, quoteText } from '../../duck/quote.ts'
import { MACROS } from './macros.ts'

export interface SandboxOptions {
  /** Of each. What exceeds it goes to disk, up to four times as much. */
  memoryMb: number
  threads: number
  /** Of this process alone. */
  tempFolder: string
}

export interface Sandbox {
  connection: DuckDBConnection
  /** From here on nothing but these views and files is there, and no setting can be changed but these. */
  lock: (views: readonly View[], files: readonly string[], settings?: readonly string[]) => Promise<void>
  close: () => void
}

export interface View {
  name: string
  sql: string
}

let opened = 0

export async function openSandbox({ memoryMb, threads, tempFolder }: SandboxOptions): Promise<Sandbox> {
  const spill = join(tempFolder, `sql-${process.pid}-${++opened}`)
  mkdirSync(tempFolder, { recursive: true })
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    allow_persistent_secrets: 'false',
    memory_limit: `${memoryMb}MB`,
    threads: String(threads),
    temp_directory: spill,
  })
  const connection = await instance.connect()
  const close = () => {
    connection.closeSync()
    instance.closeSync()
    rmSync(spill, { recursive: true, force: true })
  }
  try {
    const settings = [
      "TimeZone = 'UTC'",
      'preserve_insertion_order = true',
      // Told at the start it is shown but not obeyed.
      `max_temp_directory_size = '${memoryMb * 4}MB'`,
    ]
    for (const sql of [...settings.map(setting => `SET GLOBAL ${setting}`), ...MACROS]) await connection.run(sql)
  } catch (error) {
    close()
    throw error
  }
  return {
    connection,
    async lock(views, files, changeable = []) {
      await connection.run('CREATE SCHEMA market_data')
      await connection.run(`SET allowed_paths = [${files.flatMap(namesOf).map(quoteText).join(', ')}]`)
      await connection.run('SET enable_external_access = false')
      for (const { name, sql } of views) await connection.run(`CREATE VIEW market_data.${quoteName(name)} AS ${sql}`)
      await connection.run("SET search_path = 'market_data,main'")
      await connection.run('SET errors_as_json = true')
      if (changeable.length > 0) await connection.run(`SET allowed_configs = [${changeable.map(quoteText).join(', ')}]`)
      await connection.run('SET lock_configuration = true')
    },
    close,
  }
}

/** As it is, and as `read_parquet` is told of it, which takes some characters for patterns. */
function namesOf(file: string): string[] {
  const pattern = file.replace(/[[*?]/g, '[$&]')
  return pattern === file ? [file] : [file, pattern]
}
