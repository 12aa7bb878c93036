// DuckDB as a tool of the lake and of queries: one in-memory instance that reads and writes Parquet and installs nothing.
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { registerRowScan } from './row-scan.ts'
import { runSql } from './run-sql.ts'

export interface DuckOptions {
  /** Threads of DuckDB beside the caller's own; as many as the machine has cores when absent. */
  threads?: number
  /** Beyond it DuckDB spills to `tempFolder`, and without one fails. */
  memoryMb?: number
  tempFolder?: string
}

export interface Duck {
  connect: () => Promise<DuckDBConnection>
  /** Connections must have ended what they were doing. */
  close: () => void
}

const instances = new WeakMap<DuckDBConnection, DuckDBInstance>()

/** One more connection to the same DuckDB, for work at the same time; whoever asks for it closes it. */
export async function connectBeside(connection: DuckDBConnection): Promise<DuckDBConnection> {
  const instance = instances.get(connection)
  if (!instance) throw new Error('The connection is none of openDuck')
  return instance.connect()
}

export async function openDuck({ threads, memoryMb, tempFolder }: DuckOptions = {}): Promise<Duck> {
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    allow_persistent_secrets: 'false',
    // An absent folder would mean `.tmp` in the working directory.
    temp_directory: tempFolder ?? '',
    ...(threads !== undefined && { threads: String(threads) }),
    ...(memoryMb !== undefined && { memory_limit: `${memoryMb}MB` }),
  })
  const connections: DuckDBConnection[] = []
  const connect = async () => {
    const connection = await instance.connect()
    connections.push(connection)
    instances.set(connection, instance)
    return connection
  }
  const setup = await instance.connect()
  // Order is what sorted files rest on: without it a COPY of a sorted table wrote rows out of order at two threads.
  await runSql(setup, `SET GLOBAL preserve_insertion_order = true`)
  await runSql(setup, `SET GLOBAL TimeZone = 'UTC'`)
  // Lake files never change, so a footer read once is good for as long as the file is there.
  await runSql(setup, `SET GLOBAL parquet_metadata_cache = true`)
  registerRowScan(setup)
  setup.closeSync()
  return {
    connect,
    close() {
      for (const connection of connections.splice(0)) connection.closeSync()
      instance.closeSync()
    },
  }
}
