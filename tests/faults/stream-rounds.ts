// Every fault of the stream in its long form: kills, dead brokers, servers that are away, logs that are not what they were.
// Prints what was lost and doubled, and who counted.
import { openStreamServers, type StreamServers } from '../support/stream-place.ts'
import type { Verdict } from '../support/stream-verdict.ts'
import { randomOf } from './random.ts'
import { restartBroker } from './stream-broker.ts'
import { KILLS, killWriter } from './stream-kills.ts'
import { lakeOutage } from './stream-lake.ts'
import { logReplaced, retentionOvertakes } from './stream-log.ts'
import { malformedMessages } from './stream-malformed.ts'
import { registryTrouble } from './stream-registry.ts'
import { clockBack, secondWriter, zombieWriter } from './stream-writers.ts'

/** What servers are away for, in the long form. */
const DOWN_MS = 60_000
/** A lease is given up for stale after so long. */
const STALE_MS = 30_000

interface Fault {
  name: string
  rounds: number
  run: (servers: StreamServers) => Promise<Verdict>
}

/** `kills` of a writer over ten thousand messages each, and a fifth as many of the broker. */
export async function streamRounds(kills: number, seed = Date.now() % 1_000_000, only?: string): Promise<number> {
  const random = randomOf(seed)
  const restarts = Math.max(1, Math.round(kills / 5))
  const killing = (name: string, rounds: number, onS3: boolean): Fault => ({
    name,
    rounds,
    run: servers =>
      killWriter(servers, {
        kills: Array.from({ length: rounds }, (_, i) => KILLS[i % KILLS.length]),
        messages: 5_000,
        random,
        onS3,
        onKill: (n, at, isKilled) => say(`kill ${n} at ${at}${isKilled ? '' : ': it never got there'}`),
      }),
  })
  const faults: Fault[] = [
    killing('writer killed', kills, false),
    // Asked for by itself as often as is said.
    killing('kills-s3: writer killed over REST and S3', only === undefined ? restarts : kills, true),
    {
      name: 'broker killed',
      rounds: restarts,
      run: servers => restartBroker(servers, { restarts, random, onRestart: n => say(`broker restarted ${n} times`) }),
    },
    { name: 'second writer', rounds: 1, run: secondWriter },
    { name: 'zombie writer', rounds: 1, run: servers => zombieWriter(servers, STALE_MS) },
    { name: 'clock back a day', rounds: 3, run: servers => clockBack(servers, 3) },
    { name: 'retention overtakes', rounds: 1, run: retentionOvertakes },
    { name: 'topic and cluster replaced', rounds: 1, run: logReplaced },
    { name: '1 % malformed', rounds: 1, run: servers => malformedMessages(servers, 1_000_000) },
    { name: 'registry away, failing, slow', rounds: 1, run: servers => registryTrouble(servers, DOWN_MS) },
    { name: 'catalog and store away', rounds: 1, run: servers => lakeOutage(servers, { downMs: DOWN_MS }) },
  ]
  console.log(`stream: seed ${seed}`)
  const lines = [['fault', 'rounds', 'messages', 'rows', 'lost', 'doubled', 'judged by', 'seconds']]
  let failures = 0
  const servers = await openStreamServers()
  try {
    for (const { name, rounds, run } of faults.filter(fault => only === undefined || fault.name.startsWith(only))) {
      const begunMs = performance.now()
      const verdict = await run(servers).catch((error: unknown) => ({ ...NOTHING, complaints: [String(error)] }))
      const { produced, rows, lost, doubled, complaints } = verdict
      const seconds = ((performance.now() - begunMs) / 1000).toFixed(0)
      lines.push([name, rounds, produced, rows, lost, doubled, 'PyIceberg, lake verify', seconds].map(String))
      for (const complaint of complaints) say(`${name}: ${complaint}`)
      failures += complaints.length
      say(lines.at(-1)!.join(', '))
    }
  } finally {
    await servers.close()
  }
  for (const line of aligned(lines)) console.log(line)
  return failures
}

const NOTHING = { produced: 0, rows: 0, lost: NaN, doubled: NaN }

const say = (text: string) => console.log(`stream: ${text}`)

function aligned(lines: readonly string[][]): string[] {
  const widths = lines[0].map((_, column) => Math.max(...lines.map(line => line[column].length)))
  return lines.map(line => line.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd()) // prettier-ignore
}
