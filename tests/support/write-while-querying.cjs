// Stands where the built program stands, behind the launcher: saturates the query pool with long DuckDB queries, commits
// a file meanwhile the way a table commit does, and prints how long that took. A test instrument.
const { performance } = require('node:perf_hooks')
const fs = require('node:fs/promises')
const { join } = require('node:path')

async function commitFile(folder) {
  const started = performance.now()
  const file = await fs.open(join(folder, 'part'), 'w')
  await file.writeFile('x'.repeat(100_000))
  await file.sync()
  await file.close()
  await fs.rename(join(folder, 'part'), join(folder, 'whole'))
  return performance.now() - started
}

async function commitWhileQuerying(folder) {
  const { DuckDBInstance } = require('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connections = await Promise.all(Array.from({ length: 5 }, () => instance.connect()))
  const queries = connections.map(connection =>
    connection.run('SELECT sum(hash(a.range, b.range)) FROM range(30000) a, range(30000) b'),
  )
  queries.forEach(query => query.catch(() => {}))
  await new Promise(resolve => setTimeout(resolve, 200))
  const elapsedMs = await commitFile(folder)
  connections.forEach(connection => connection.interrupt())
  await Promise.allSettled(queries)
  process.stdout.write(JSON.stringify({ elapsedMs, threads: process.env.UV_THREADPOOL_SIZE ?? 'default' }))
  process.exit(0)
}

exports.main = ([folder]) => commitWhileQuerying(folder)
