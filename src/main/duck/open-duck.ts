// DuckDB as a tool of the lake and of queries: one in-memory instance that reads and writes Parquet and installs nothing.
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { registerRowScan } from './row-scan.ts'
import { runSql, stopStatements } from './run-sql.ts'

export interface DuckOptions {
  /** Threads of DuckDB beside the caller's own; as many as the machine has cores when absent. */
  threads?: number
  /** Beyond it DuckDB spills to `tempFolder`, and without one fails. */
  memoryMb?: number
  /** That memory is taken in one piece and kept until it is closed: pieces that come and go leave holes in the heap. */
  inOnePiece?: boolean
  tempFolder?: string
  /** As much as spills there at the most; nine tenths of what is free when absent. */
  maxTempMb?: number
}

export interface Duck {
  connect: () => Promise<DuckDBConnection>
  /** Ends what is still running first. */
  close: () => Promise<void>
}

type ConnectToWriter = () => Promise<DuckDBConnection>
const writers = new WeakMap<DuckDBConnection, ConnectToWriter>()

/**
 * A connection for statements that read rows of this process, several of them at the same time, each in one thread of
 * its own; whoever asks for it closes it. It belongs to the Duck of `connection` but sees none of its tables.
 */
export async function connectWriter(connection: DuckDBConnection): Promise<DuckDBConnection> {
  const connect = writers.get(connection)
  if (!connect) throw new Error('The connection is none of openDuck')
  return connect()
}

export async function openDuck(options: DuckOptions = {}): Promise<Duck> {
  // DuckDB makes the folder itself when it first spills, but not the one above it.
  if (options.tempFolder) mkdirSync(dirname(options.tempFolder), { recursive: true })
  const instances = [await createInstance(options)]
  let reopening: Promise<DuckDBInstance> | undefined
  let writer: Promise<DuckDBInstance> | undefined
  // With more threads, the one that began a statement spins until another has ended it: measured, half of DuckDB's
  // processor time when a million trades are written. It sorts nothing, so it has nothing to spill.
  const connectToWriter = async () =>
    (await (writer ??= createInstance({ memoryMb: options.memoryMb, threads: 1 }))).connect()
  /** DuckDB gives up on a database for good when a damaged file surprises it; the next one who asks gets a new one. */
  const connectAlive = async () => {
    const instance = instances[instances.length - 1]
    const connection = await instance.connect()
    try {
      await connection.run('SELECT 1')
      return connection
    } catch (error) {
      connection.closeSync()
      if (!isLost(error)) throw error
    }
    if (instance === instances[instances.length - 1]) {
      reopening ??= createInstance(options).finally(() => (reopening = undefined))
      const renewed = await reopening
      if (!instances.includes(renewed)) instances.push(renewed)
    }
    return instances[instances.length - 1].connect()
  }
  const connections = new Set<DuckDBConnection>()
  const known = (connection: DuckDBConnection) => {
    const close = connection.closeSync.bind(connection)
    connection.closeSync = () => {
      connections.delete(connection)
      close()
    }
    connections.add(connection)
    return connection
  }
  return {
    async connect() {
      const connection = known(await connectAlive())
      writers.set(connection, async () => known(await connectToWriter()))
      return connection
    },
    async close() {
      await Promise.all([...connections].map(stopStatements))
      for (const connection of connections) connection.closeSync()
      for (const instance of instances) instance.closeSync()
      writer?.then(created => created.closeSync()).catch(() => {}) // one that was never created was told about
    },
  }
}

function isLost(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('FATAL Error')
}

async function createInstance({
  threads,
  memoryMb,
  inOnePiece = false,
  tempFolder,
  maxTempMb,
}: DuckOptions): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    allow_persistent_secrets: 'false',
    // An absent folder would mean `.tmp` in the working directory.
    temp_directory: tempFolder ?? '',
    ...(threads !== undefined && { threads: String(threads) }),
    ...(memoryMb !== undefined && { memory_limit: `${memoryMb}MB` }),
    ...(memoryMb !== undefined && inOnePiece && { block_allocator_memory: `${memoryMb}MB` }),
  })
  const setup = await instance.connect()
  // Order is what sorted files rest on: without it a COPY of a sorted table wrote rows out of order at two threads.
  await runSql(setup, `SET GLOBAL preserve_insertion_order = true`)
  await runSql(setup, `SET GLOBAL TimeZone = 'UTC'`)
  // Lake files never change, so a footer read once is good for as long as the file is there.
  await runSql(setup, `SET GLOBAL parquet_metadata_cache = true`)
  // Told at the start it is shown but not obeyed.
  if (maxTempMb !== undefined) await runSql(setup, `SET GLOBAL max_temp_directory_size = '${maxTempMb}MB'`)
  registerRowScan(setup)
  setup.closeSync()
  return instance
}
