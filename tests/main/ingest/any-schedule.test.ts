// The law of the writer: whatever is batched, crashes and starts again how and when, the tables are a function of the log.
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Row } from '../../../src/contract/columns.ts'
import { Failure } from '../../../src/contract/failure.ts'
import type { WriterStep } from '../../../src/main/ingest/writer-options.ts'
import type { Writer } from '../../../src/main/ingest/writer.ts'
import { lost, type TableFault } from '../../support/memory-stream-table.ts'
import { plainProduced, type PlainValue } from '../../support/plain-intake.ts'
import { CRYPTO, memoryLog, memoryTables, openWriter, QUOTES, TRADES, type MemoryTables } from '../../support/writer.ts'

const SECOND = 1e6
const START = Date.UTC(2026, 10, 21, 10) * 1000
const TOPICS = [TRADES, CRYPTO, QUOTES]
const STEPS: WriterStep[] = ['taken', 'staged', 'dead_letters', 'sequence_gaps', 'committing', 'committed', 'noted']

interface Sent {
  topic: string
  value: PlainValue
  /** After the one before; also back. */
  seconds: number
}

/** Few symbols, ids and numbers, so that repeats, corrections, gaps and disorder are frequent. */
const value: fc.Arbitrary<PlainValue> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .record({
        symbol: fc.constantFrom('A', 'B', 'C', 'D'),
        seq: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 300 })),
        content: fc.integer({ min: 0, max: 1 }),
      })
      .map(message => ({ ...message, id: `${message.symbol}${message.seq}` })),
  },
  { weight: 1, arbitrary: fc.constantFrom('bad', 'worse') },
)
const sent: fc.Arbitrary<Sent> = fc.record({
  topic: fc.constantFrom(...TOPICS),
  value,
  seconds: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 60 }), fc.integer({ min: -200, max: 200 })),
})
/** What comes in before a run of the writer begins, where that crashes, and how large its batches are. */
const run = fc.record({
  messages: fc.array(sent, { maxLength: 40 }),
  late: fc.array(sent, { maxLength: 10 }),
  batchSize: fc.constantFrom(1, 3, 10, 1000),
  /** What the next commits meet, of whichever table. */
  faults: fc.array(fc.constantFrom('away', 'lost before', 'lost after', 'none'), { maxLength: 4 }),
  /** It goes on while the next one runs, as one that was taken for dead. */
  isZombie: fc.boolean(),
  crash: fc.option(fc.record({ step: fc.constantFrom(...STEPS), after: fc.integer({ min: 0, max: 4 }) })),
})

it('gives the same three tables for any batching, any crash and any start', async () => {
  const seed = Number(process.env.K2_SEED ?? Date.now() % 2 ** 31)
  console.log(`writer schedules: seed ${seed}`)
  await fc.assert(
    fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 5 }), async runs => {
      const log = await memoryLog(TOPICS, 3)
      const faults: string[] = []
      const tables = memoryTables(operation => (operation === 'commit' ? faultOf(faults.shift()) : undefined))
      const zombies: Writer[] = []
      let micros = START
      const send = async (messages: readonly Sent[]) => {
        for (const { topic, value, seconds } of messages) {
          micros += seconds * SECOND
          await log.append(
            topic,
            plainProduced([value], () => micros),
          )
        }
      }
      for (const { messages, late, batchSize, crash, isZombie, faults: met } of runs) {
        await send(messages)
        faults.push(...met)
        let left = crash?.after ?? Infinity
        const settings = { topics: TOPICS, batchSize, batchSeconds: 0.003, dedupeMinutes: 2, lookEveryMs: 2 }
        const writer = openWriter({
          log,
          tables,
          settings,
          onStep(step) {
            if (step === crash?.step && left-- <= 0) throw new Error('crash')
          },
        })
        await sleep(crash ? 4 : 1)
        await send(late)
        if (crash) await sleep(4)
        if (isZombie) zombies.push(writer)
        else await writer.stop()
      }
      await Promise.all(zombies.map(zombie => zombie.stop()))
      await drainTo(log, tables)
      const whole = memoryTables()
      await drainTo(log, whole)
      for (const id of ['trades', 'quotes', 'dead_letters', 'sequence_gaps'] as const)
        expect(sorted(tables[id].rows()), id).toEqual(sorted(whole[id].rows()))
    }),
    { numRuns: Number(process.env.K2_RUNS ?? 50), seed },
  )
}, 60_000)

function faultOf(name: string | undefined): TableFault | undefined {
  if (name === 'lost before') return { before: lost() }
  if (name === 'lost after') return { after: lost() }
  return name === 'away' ? { before: new Failure('UNAVAILABLE', 'The catalog is away.') } : undefined
}

/** One run without a fault, until all is in the tables. */
async function drainTo(log: Parameters<typeof openWriter>[0]['log'], tables: MemoryTables): Promise<void> {
  const writer = openWriter({ log, tables, settings: { topics: TOPICS, dedupeMinutes: 2, batchSeconds: 0.002 } })
  for (;;) {
    const { topics, state } = writer.status()
    if (state === 'writing' && new Set(topics.map(({ topic }) => topic)).size === TOPICS.length) {
      if (topics.every(({ lag }) => lag === 0)) break
    }
    await sleep(1)
  }
  await writer.stop()
}

function sorted(rows: readonly Row[]): string[] {
  return rows.map(row => JSON.stringify(row)).sort()
}
