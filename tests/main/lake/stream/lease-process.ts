// A process of its own that takes a lease so many times, and says from when to when it had it.
import { setTimeout as sleep } from 'node:timers/promises'
import { localFiles } from '../../../../src/main/lake/io/local.ts'
import { createLeases } from '../../../../src/main/lake/stream/lease.ts'

const [folder, id, times] = process.argv.slice(2)
const leases = createLeases({ io: localFiles(), folder, owner: { host: 'here', pid: process.pid, id } })
for (let held = 0; held < Number(times);) {
  const found = await leases.acquire(['x'])
  const from = process.hrtime.bigint()
  if ('held' in found) {
    held++
    await sleep(Math.random() * 3)
    console.log(`${from} ${process.hrtime.bigint()}`)
    await found.held.release()
  }
  await sleep(Math.random() * 3)
}
