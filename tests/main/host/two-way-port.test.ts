// Two ends of one port that both ask: each gets its own answers, whatever the numbers of the requests.
import { MessageChannel } from 'node:worker_threads'
import { expect, it, onTestFinished } from 'vitest'
import { connectClient } from '../../../src/contract/client.ts'
import { messagePort } from '../../../src/main/host/ports.ts'
import { splitPort } from '../../../src/main/host/two-way-port.ts'
import { createDispatch } from '../../../src/main/wire/dispatch.ts'
import { servePort } from '../../../src/main/wire/serve-port.ts'
import { newWitness, sample, sampleHandlers } from '../../support/sample.ts'

function openEnds() {
  const { port1, port2 } = new MessageChannel()
  const violations: string[] = []
  const ends = [port1, port2].map(port => {
    const { asking, answering } = splitPort(messagePort(port))
    const witness = newWitness()
    const dispatch = createDispatch(sample, sampleHandlers(witness))
    servePort(answering, dispatch, 'port', { onViolation: problem => violations.push(problem) })
    return { client: connectClient(sample, asking), witness }
  })
  onTestFinished(() => port1.close())
  return { ends, violations, port1 }
}

it('gives each end the answers to its own questions', async () => {
  const { ends, violations } = openEnds()
  const asked = ends.flatMap(({ client }, end) =>
    Array.from({ length: 20 }, async (_, i) => {
      expect((await client['sample.echo']({ text: `${end} ${i}` })).text).toBe(`${end} ${i}`)
      const seen: number[] = []
      for await (const { n } of client['sample.count']({ to: 30 })) seen.push(n)
      expect(seen).toHaveLength(30)
    }),
  )
  await Promise.all(asked)
  expect(violations).toEqual([])
})

it('carries failures and cancelling both ways', async () => {
  const { ends } = openEnds()
  for (const [asker, other] of [ends, [...ends].reverse()]) {
    await expect(asker.client['sample.fail']({ what: 'tea' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const abort = new AbortController()
    const waiting = asker.client['sample.wait']({}, { signal: abort.signal })
    await expect.poll(() => other.witness.running).toBe(1)
    abort.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
    await expect.poll(() => other.witness.aborted).toBe(1)
  }
})

it('fails what is open at both ends when the port closes', async () => {
  const { ends, port1 } = openEnds()
  const waiting = ends.map(({ client }) => client['sample.wait']({}).catch((error: unknown) => error))
  await expect.poll(() => ends.map(({ witness }) => witness.running)).toEqual([1, 1])
  port1.close()
  for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: 'UNAVAILABLE' })
  await expect.poll(() => ends.map(({ witness }) => witness.aborted)).toEqual([1, 1])
})
