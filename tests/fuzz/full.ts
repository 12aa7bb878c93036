// The long form of the fuzzed SQL: `npm run fuzz [statements] [seed]`, 10,000 when left out. Prints its seed and report.
import { startVitest } from 'vitest/node'

const [count = '10000', seed] = process.argv.slice(2)
process.env.K2_FUZZ_COUNT = count
if (seed !== undefined) process.env.K2_FUZZ_SEED = seed
const vitest = await startVitest('test', ['tests/main/query/sql/fuzz.test.ts'], { watch: false })
await vitest.close()
