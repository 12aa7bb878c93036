// Work for several symbols in the order of their files.
import { describe, expect, it } from 'vitest'
import { workByFiles } from '../../../../src/main/query/blocks/by-files.ts'
import { append, tempLake, tradesBatch } from '../../../support/lake.ts'
import { queryParts } from '../../../support/query.ts'

async function manySymbols() {
  const lake = await tempLake()
  await append(lake, tradesBatch(0, 120, { symbols: 40 }))
  const { reads } = await queryParts(lake)
  const symbols = Array.from({ length: 40 }, (_, i) => `SYM${39 - i}`)
  return { reads, asked: { at: await reads.at('trades'), symbols } }
}

describe('work by files', () => {
  it('gives what it made in the order asked, and does that of one file without others between', async () => {
    const { reads, asked } = await manySymbols()
    const paths: string[] = []
    const found = await workByFiles(reads, asked, async symbol => {
      const [first] = await reads.plan(asked.at, { filter: [{ column: 'symbol', op: '=', value: symbol }] })
      paths.push(first.file.path)
      return symbol
    })
    expect(found).toEqual(asked.symbols)
    const runs = paths.filter((path, i) => path !== paths[i - 1])
    expect(new Set(paths).size).toBeGreaterThan(1)
    expect(runs).toHaveLength(new Set(paths).size)
  })

  it('stops the others when one fails, begins no more, and says why', async () => {
    const { reads, asked } = await manySymbols()
    let begun = 0
    let stopped = 0
    const work = async (symbol: string, signal: AbortSignal) => {
      if (++begun === 3) throw new Error(`no ${symbol}`)
      await new Promise<void>(resolve => {
        signal.addEventListener('abort', () => {
          stopped++
          resolve()
        })
      })
    }
    await expect(workByFiles(reads, asked, work)).rejects.toThrow(/^no SYM/)
    expect(begun).toBeLessThan(asked.symbols.length)
    expect(stopped).toBe(begun - 1)
  })
})
