// An engine in Electron's utility process, supervised as one in a forked child is. Electron's part is played by a child
// process behind the same surface.
import { fork } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { supervise } from '../../../src/main/host/supervise.ts'
import { startProcess } from '../../../src/main/shell/utility-host.ts'
import { sample, tickBatch } from '../../support/sample.ts'

vi.mock('electron', () => ({ utilityProcess: { fork: forkAsUtility } }))

function forkAsUtility(entry: string, args: string[], { env }: { env: NodeJS.ProcessEnv }) {
  const child = fork(entry, args, { env, serialization: 'advanced', execArgv: ['--import', 'tsx'] })
  const utility = Object.assign(new EventEmitter(), {
    pid: child.pid,
    postMessage: (message: object) => child.send(message, () => {}),
    kill: () => child.kill(),
  })
  child.on('message', message => utility.emit('message', message))
  child.once('exit', code => {
    utility.pid = undefined
    utility.emit('exit', code)
  })
  return utility
}

const entry = join(import.meta.dirname, '../../support/sample-engine.ts')

it('serves engines from a utility process, restarts them when they die, and leaves none behind', async () => {
  const started: ReturnType<typeof startProcess>[] = []
  const engine = supervise({
    name: 'sample',
    contract: sample,
    start: () => {
      started.push(startProcess(entry))
      return started.at(-1)!
    },
    options: { closeMs: 0 },
  })
  onTestFinished(async () => void (await engine.close(AbortSignal.timeout(2_000))))
  expect((await (await engine.client())['sample.ticks']({})).data).toEqual(tickBatch())

  started[0].kill()
  await expect.poll(() => started.length).toBe(2)
  expect(started[0].pid()).toBeUndefined()
  started[0].kill()
  expect((await (await engine.client())['sample.echo']({ text: 'again' })).text).toBe('again')

  expect(await engine.close(AbortSignal.timeout(5_000))).toEqual([])
  await expect.poll(() => started[1].pid()).toBeUndefined()
})
