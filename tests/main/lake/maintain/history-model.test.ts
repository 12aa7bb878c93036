import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Failure } from '../../../../src/contract/failure.ts'
import { openDuck, type Duck } from '../../../../src/main/duck/open-duck.ts'
import type { Catalog } from '../../../../src/main/lake/catalog/catalog.ts'
import type { Lake } from '../../../../src/main/lake/lake.ts'
import { compactTable } from '../../../../src/main/lake/maintain/compact-table.ts'
import { expireSnapshots } from '../../../../src/main/lake/maintain/expire-snapshots.ts'
import { offsetsAt, trailOf } from '../../../../src/main/lake/offsets.ts'
import type { OffsetVector } from '../../../../src/main/market/topic-offsets.ts'
import { rollBack } from '../../../../src/main/lake/travel/roll-back.ts'
import { removeTag, tagSnapshot } from '../../../../src/main/lake/travel/tag-snapshot.ts'
import { verifyTable } from '../../../../src/main/lake/verify/verify-table.ts'
import { composeLake, emptyState } from '../../../support/compose-lake.ts'
import { append, readRows, tradesBatch } from '../../../support/lake.ts'
import { strayFiles } from '../../../support/stray-files.ts'

let duck: Duck
beforeAll(async () => {
  duck = await openDuck({ threads: 1, memoryMb: 128 })
})
afterAll(() => duck.close())

type Step =
  | { kind: 'stream' | 'import' | 'foreign'; rows: number; specId: 0 | 1 }
  | { kind: 'compact' }
  | { kind: 'expire'; most: number }
  | { kind: 'rollback'; to: number; reingest: boolean }
  | { kind: 'tag' | 'untag'; to: number; name: string }

const at = fc.nat(100)
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('stream', 'stream', 'import', 'foreign'),
      rows: fc.integer({ min: 1, max: 12 }),
      specId: fc.constantFrom(0, 1),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'compact' } as const) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('expire' as const), most: fc.integer({ min: 1, max: 5 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('rollback' as const), to: at, reingest: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('tag' as const, 'untag' as const),
      to: at,
      name: fc.constantFrom('close', 'before'),
    }),
  },
)

/** Back to before the first stream, when expiry has taken what was before that. */
const BEFORE_STREAMS: Step[] = [
  { kind: 'import', rows: 1, specId: 0 },
  { kind: 'rollback', to: 0, reingest: false },
  { kind: 'stream', rows: 1, specId: 0 },
  { kind: 'expire', most: 2 },
  { kind: 'stream', rows: 1, specId: 0 },
  { kind: 'stream', rows: 1, specId: 0 },
  { kind: 'rollback', to: 0, reingest: true },
]

/** What a snapshot shows: the rows in it, and how far the log was. */
interface Shown {
  rows: readonly number[]
  offset: number
}

const vector = (offset: number): OffsetVector => [{ cluster: 'c', epoch: 'e', topic: 't', next: { 0: offset } }]
const offsetIn = (found: OffsetVector) => found.at(0)?.next['0'] ?? 0
const ascending = (rows: readonly number[]) => rows.toSorted((a, b) => a - b)

/** Commits as an engine does that knows nothing of our keys. */
function forgetful(catalog: Catalog): Catalog {
  return {
    ...catalog,
    commit: (name, base, requirements, updates) =>
      catalog.commit(
        name,
        base,
        requirements,
        updates.map(update =>
          update.action === 'add-snapshot'
            ? { ...update, snapshot: { ...update.snapshot, summary: { operation: 'append' } } }
            : update,
        ),
      ),
  }
}

it(
  'shows at every snapshot what was in it, after any sequence of commits and upkeep, and a log that never goes back',
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 3, maxLength: 14 }), async tape => {
        const state = emptyState()
        const parts = { io: state.files, rows: state.rows, duck }
        const lake = composeLake(parts)
        await lake.init()
        const model = new Map<string, Shown>()
        const tags = new Map<string, string>()
        let made = 0
        let head: string | undefined
        for (const step of tape) {
          const now = (head === undefined ? undefined : model.get(head)) ?? { rows: [], offset: 0 }
          const shown = await take(lake, step, now)
          if (shown) {
            head = (await lake.table('trades').load()).metadata.refs.main['snapshot-id']
            model.set(head, shown)
          }
        }
        await compare(lake)
        await state.files.close()

        async function take(lake: Lake, step: Step, now: Shown): Promise<Shown | undefined> {
          const table = lake.table('trades')
          const { metadata } = await table.load()
          const kept = metadata.snapshots.map(snapshot => snapshot['snapshot-id'])
          const chosen = 'to' in step ? kept.at(step.to % kept.length || 0) : undefined
          switch (step.kind) {
            case 'stream':
            case 'import':
            case 'foreign': {
              const from = made
              made += step.rows
              const batch = tradesBatch(from, step.rows, { symbols: 2, perDay: 30 })
              const rows = [...now.rows, ...Array.from({ length: step.rows }, (_, i) => from + i)]
              const options = { specId: step.specId }
              if (step.kind === 'stream') {
                const offset = now.offset + step.rows
                const known = now.offset === 0 ? [] : vector(now.offset)
                await append(lake, batch, { ...options, offsets: { from: known, to: vector(offset) } })
                return { rows, offset }
              }
              if (step.kind === 'import') await append(lake, batch, options)
              else await append(composeLake({ ...parts, catalog: forgetful(lake.catalog) }), batch, options)
              return { rows, offset: now.offset }
            }
            case 'compact': {
              const { commits, snapshot_id: id } = await compactTable(lake, table, { minFiles: 2 })
              expect(commits > 0).toBe(id !== null)
              const after = (await table.load()).metadata.snapshots.map(snapshot => snapshot['snapshot-id'])
              for (const one of after) if (!model.has(one)) model.set(one, now) // each unit is a commit of its own
              return commits > 0 ? now : undefined
            }
            case 'expire':
              await expireSnapshots(table, { retention: { keep: [{ everyMs: 0, forMs: 1e9 }], most: step.most } })
              return undefined
            case 'rollback': {
              if (chosen === undefined) return undefined
              try {
                await rollBack(table, chosen, { reingest: step.reingest })
              } catch (error) {
                // Refused rather than guessed: expiry has taken the snapshot that said how far the log was then.
                if (!step.reingest || !(error instanceof Failure && error.code === 'CORRUPT')) throw error
                const target = metadata.snapshots.find(snapshot => snapshot['snapshot-id'] === chosen)
                expect(trailOf(metadata, target)).toMatchObject({ holder: undefined, isWhole: false })
                return undefined
              }
              const then = model.get(chosen)!
              return { rows: then.rows, offset: step.reingest ? then.offset : now.offset }
            }
            case 'tag':
              if (chosen === undefined || tags.has(step.name)) return undefined
              await tagSnapshot(table, step.name, chosen)
              tags.set(step.name, chosen)
              return undefined
            case 'untag':
              if (tags.delete(step.name)) await removeTag(table, step.name)
              return undefined
          }
        }

        async function compare(lake: Lake): Promise<void> {
          const table = lake.table('trades')
          const { metadata } = await table.load()
          for (const snapshot of metadata.snapshots) {
            const id = snapshot['snapshot-id']
            const rows = (await readRows(lake, { snapshotId: id })).map(row => Number(row.source_sequence))
            expect(ascending(rows)).toEqual(ascending(model.get(id)!.rows))
          }
          if (head !== undefined) expect(offsetIn(offsetsAt(metadata))).toBe(model.get(head)!.offset)
          for (const [name, id] of tags) expect(metadata.refs[name]['snapshot-id']).toBe(id)
          expect((await verifyTable(lake, table, { quick: true })).problems).toEqual([])
          expect(await strayFiles(table, state.files)).toEqual([])
        }
      }),
      { numRuns: 20, examples: [[BEFORE_STREAMS]] },
    )
  },
)
