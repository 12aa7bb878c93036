// Who writes which topics: a lease beside each table, so that of several K2 on one lake one works and the others follow.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { WriterOptions } from '../ingest/writer-options.ts'
import type { Lake } from '../lake/lake.ts'
import { createLeases, leaseFolder, type LeaseOptions, type Leases } from '../lake/stream/lease.ts'
import type { DataType } from '../market/topics.ts'

export type LeaseTimes = Pick<LeaseOptions, 'renewEveryMs' | 'staleMs'>

export function writerLeases(lake: Lake, times: LeaseTimes = {}): NonNullable<WriterOptions['acquireLease']> {
  const owner = { host: hostname(), pid: process.pid, id: randomUUID() }
  const byTable = new Map<DataType, Leases>()

  async function leasesOf(table: DataType): Promise<Leases> {
    let leases = byTable.get(table)
    if (!leases) {
      await lake.ensure(table)
      const { metadata } = await lake.table(table).known()
      leases = createLeases({ io: lake.io, folder: leaseFolder(metadata.location), owner, ...times })
      byTable.set(table, leases)
    }
    return leases
  }

  return async (table, topics) => {
    const answer = await (await leasesOf(table)).acquire(topics)
    if ('held' in answer) return answer
    const { pid, host } = answer.heldBy
    return { heldBy: `Process ${pid} on ${host}` }
  }
}
