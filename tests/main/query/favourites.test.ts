// Which instruments are decoded after a start.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import type { LakeReads } from '../../../src/main/lake/reads.ts'
import { createBlocks } from '../../../src/main/query/blocks/blocks.ts'
import { openFavourites } from '../../../src/main/query/favourites.ts'
import { append, tempLake, tradesBatch } from '../../support/lake.ts'
import { queryParts } from '../../support/query.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

async function favouritesOver() {
  const lake = await tempLake()
  await append(lake, tradesBatch(0, 700))
  const { reads, pool } = await queryParts(lake)
  const path = join(makeTempFolder(), 'cache', 'favourites.json')
  const at = await reads.at('trades')
  const open = (options: { maxBytes?: number; quietMs?: number; reads?: LakeReads } = {}) => {
    const blocks = createBlocks({ reads, pool, maxBytes: 64e6 })
    const favourites = openFavourites({ path, reads, pool, blocks, quietMs: 1, ...options })
    const ask = (symbol: string) => favourites.blocks.read({ at, symbol, columns: ['price'] })
    return { ...favourites, ask, stats: () => blocks.stats() }
  }
  const someAsked = async () => {
    const first = open()
    for (const symbol of ['SYM1', 'SYM2', 'SYM2']) await first.ask(symbol)
    first.save()
  }
  return { open, someAsked, path, reads }
}

const forever = new AbortController().signal

it('decodes what was asked for the last time, so that asking for it again reads nothing', async () => {
  const { open, someAsked } = await favouritesOver()
  await someAsked()
  const next = open()
  await next.warm(forever)
  expect(next.stats()).toMatchObject({ entries: 2, misses: 2, hits: 0 })
  await next.ask('SYM2')
  await next.ask('SYM1')
  expect(next.stats()).toMatchObject({ misses: 2, hits: 2 })
})

it('decodes the one that was asked for most first, and no more than has room', async () => {
  const { open, someAsked } = await favouritesOver()
  await someAsked()
  const next = open({ maxBytes: 1 })
  await next.warm(forever)
  expect(next.stats()).toMatchObject({ entries: 1, misses: 1 })
  await next.ask('SYM2')
  expect(next.stats()).toMatchObject({ hits: 1 })
})

it.each(['a block', 'the pool'])('stops as soon as somebody asks for %s, and goes on when it is quiet', async what => {
  const { open, someAsked, reads } = await favouritesOver()
  await someAsked()
  const signals: (AbortSignal | undefined)[] = []
  const held: LakeReads['at'] = (table, choice, signal) => {
    signals.push(signal)
    if (signals.length > 1) return reads.at(table, choice, signal)
    return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('stopped'))))
  }
  const next = open({ reads: { ...reads, at: held } })
  const warming = next.warm(forever)
  await vi.waitFor(() => expect(signals).toHaveLength(1))
  if (what === 'a block') await next.ask('SYM5')
  else await next.pool.run(() => Promise.resolve())
  expect(signals[0]?.aborted).toBe(true)
  await warming
  expect(signals.length).toBe(3)
  expect(next.stats().entries).toBe(what === 'a block' ? 3 : 2)
})

it('goes on with the others where one cannot be decoded, and does not try that one again', async () => {
  const { open, someAsked, path, reads } = await favouritesOver()
  await someAsked()
  let asked = 0
  const failing: LakeReads['at'] = (table, choice, signal) =>
    ++asked === 1 ? Promise.reject(new Error('damaged')) : reads.at(table, choice, signal)
  const next = open({ reads: { ...reads, at: failing } })
  await next.warm(forever)
  expect(next.stats()).toMatchObject({ entries: 1 })
  next.save()
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject([{ symbol: 'SYM1' }])
})

it('waits for the end of what is asked', async () => {
  const { open, someAsked } = await favouritesOver()
  await someAsked()
  const next = open()
  let end = () => {}
  const asking = next.pool.run(() => new Promise<void>(resolve => (end = resolve)))
  const warming = next.warm(forever)
  await new Promise(resolve => setTimeout(resolve, 50))
  expect(next.stats().entries).toBe(0)
  end()
  await asking
  await warming
  expect(next.stats().entries).toBe(2)
})

it('ends with its caller', async () => {
  const { open, someAsked } = await favouritesOver()
  await someAsked()
  const gone = new AbortController()
  const warming = open({ quietMs: 60_000 }).warm(gone.signal)
  gone.abort()
  await expect(warming).rejects.toThrow()
})

it('lets what is not asked for any more go, by halves, and begins anew where its file is damaged', async () => {
  const { open, someAsked, path } = await favouritesOver()
  await someAsked()
  open().save()
  const kept = JSON.parse(readFileSync(path, 'utf8')) as { symbol: string; asked: number }[]
  expect(kept.map(({ symbol, asked }) => [symbol, asked])).toEqual([
    ['SYM2', 0.5],
    ['SYM1', 0.25],
  ])
  for (const damaged of ['{"torn', '{}', '[null, {"symbol": "SYM1"}]']) {
    writeFileSync(path, damaged)
    open().save()
    expect(readFileSync(path, 'utf8')).toBe('[]')
  }
})
