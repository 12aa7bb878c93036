import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { call, stream, type Handlers } from '../../../src/contract/capability.ts'
import { Failure } from '../../../src/contract/failure.ts'
import { createDispatch } from '../../../src/main/wire/dispatch.ts'
import { serveSample } from './http-fixture.ts'

const rows = {
  'rows.ask': call({
    summary: 'Rows',
    http: { method: 'POST', path: '/v1/rows' },
    file: 'rows.export',
    input: z.strictObject({ n: z.int() }),
    output: z.strictObject({ n: z.int() }),
  }),
  'rows.export': stream({
    summary: 'Rows as a file',
    input: z.strictObject({ n: z.int(), format: z.enum(['csv', 'ndjson', 'arrow', 'parquet']) }),
    output: z.instanceof(Uint8Array),
  }),
}

async function serveRows() {
  const seen = { given: 0, ended: false }
  const handlers: Handlers<typeof rows> = {
    'rows.ask': ({ n }) => ({ n }),
    async *'rows.export'({ n, format }, { signal }) {
      try {
        if (n === 0) throw new Failure('NOT_FOUND', 'There are none.')
        for (let i = 0; i < n && !signal.aborted; i++) {
          if (i === 7 && n === 13) throw new Failure('UNAVAILABLE', 'Broken on the way.')
          seen.given++
          yield Buffer.from(`${format} ${i} ${'x'.repeat(n > 1000 ? 65_536 : 1)}\n`)
        }
      } finally {
        seen.ended = true
      }
    },
  }
  const server = await serveSample({ contract: rows, dispatch: createDispatch(rows, handlers) })
  const post = (body: object, init: RequestInit = {}) =>
    server.ask('/v1/rows', {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
      ...init,
    })
  return { ...server, post, seen }
}

describe('an answer asked for as a file', () => {
  it.each([
    ['csv', 'text/csv; charset=utf-8; header=present'],
    ['ndjson', 'application/x-ndjson'],
    ['arrow', 'application/vnd.apache.arrow.stream'],
    ['parquet', 'application/vnd.apache.parquet'],
  ])('comes as %s, under a name to save it', async (format, type) => {
    const { post } = await serveRows()
    const response = await post({ n: 2, format })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe(type)
    expect(response.headers.get('content-disposition')).toBe(`attachment; filename="rows.${format}"`)
    expect(response.headers.get('x-correlation-id')).toBeTruthy()
    expect(await response.text()).toBe(`${format} 0 x\n${format} 1 x\n`)
  })

  it('is JSON in its envelope when no format or json is asked for', async () => {
    const { post } = await serveRows()
    expect(await (await post({ n: 2 })).json()).toMatchObject({ success: true, data: { n: 2 } })
    expect(await (await post({ n: 2, format: 'json' })).json()).toMatchObject({ success: true, data: { n: 2 } })
  })

  it('fails as JSON before its first byte', async () => {
    const { post } = await serveRows()
    const failed = await post({ n: 0, format: 'csv' })
    expect(failed.status).toBe(404)
    expect(failed.headers.get('content-disposition')).toBeNull()
    expect(await failed.json()).toMatchObject({ error: { code: 'NOT_FOUND' } })
    const unknown = await post({ n: 1, format: 'xlsx' })
    expect(unknown.status).toBe(400)
    expect(await unknown.json()).toMatchObject({ error: { message: expect.stringContaining('csv') as string } })
  })

  it('breaks off when it fails later, so that a part is not taken for the whole', async () => {
    const { post } = await serveRows()
    await expect(post({ n: 13, format: 'csv' }).then(response => response.text())).rejects.toThrow()
  })

  it('waits for a slow reader, and stops when it has gone', async () => {
    const { post, seen } = await serveRows()
    const abort = new AbortController()
    const response = await post({ n: 100_000, format: 'csv' }, { signal: abort.signal })
    await response.body!.getReader().read()
    let before = -1
    while (before !== seen.given) {
      before = seen.given
      await sleep(200)
    }
    expect(seen.given).toBeLessThan(1_000)
    expect(seen.ended).toBe(false)
    abort.abort()
    await expect.poll(() => seen.ended).toBe(true)
  })
})
