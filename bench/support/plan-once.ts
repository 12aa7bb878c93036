// A process that plans a scan of a lake's trades as the first thing it does, and prints the milliseconds.
import { headOf } from '../../src/main/lake/iceberg/metadata.ts'
import { planScan } from '../../src/main/lake/read/plan-scan.ts'
import { localLakeOptions, withLake } from './bench-lake.ts'
import { elapsedMsOf } from './timing.ts'

await withLake(localLakeOptions(process.argv[2]), async ({ table, io, cache }) => {
  const { metadata } = await table('trades').known()
  const snapshotId = headOf(metadata)!['snapshot-id']
  console.log(await elapsedMsOf(() => planScan({ metadata, snapshotId, filter: [], io, cache })))
})
