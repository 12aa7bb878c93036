// The long form of the fault tests: `npm run faults [kill|damage|stream] [rounds] [seed] [fault]`, about half an hour each.
// A fault is named by how its line in the table begins, as `npm run faults stream 20 7 kills-s3`. Prints its seed, and ends with 1 when anything was not as promised.
import { damageRounds } from './damage-rounds.ts'
import { killRounds } from './kill-rounds.ts'
import { streamRounds } from './stream-rounds.ts'

const [what = 'all', rounds, seed, fault] = process.argv.slice(2)
const is = (name: string) => what === 'all' || what === name
const given = (text: string | undefined) => (text ? Number(text) : undefined)
let failures = 0
if (is('kill')) failures += await killRounds(given(rounds) ?? 20)
if (is('damage')) failures += await damageRounds(given(rounds) ?? 20, given(seed))
if (is('stream')) failures += await streamRounds(given(rounds) ?? 100, given(seed), fault)
console.log(failures === 0 ? 'All as promised.' : `${failures} failures.`)
process.exit(failures === 0 ? 0 : 1)
