// Starts the writer in a process of its own over real servers, to be asked, stopped and killed by tests.
import { fork } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import type { Client } from '../../src/contract/capability.ts'
import { connectClient } from '../../src/contract/client.ts'
import type { DataType } from '../../src/main/market/topics.ts'
import type { Config } from '../../src/main/config/settings.ts'
import { control } from '../../src/main/host/control.ts'
import { childPort } from '../../src/main/host/ports.ts'
import { splitPort } from '../../src/main/host/two-way-port.ts'
import type { WriterStep } from '../../src/main/ingest/writer-options.ts'
import { writerContract, type WriterHooks } from '../../src/main/processes/writer.ts'

export interface ChildFaults extends Pick<WriterHooks, 'halfOpenAfterMs' | 'leaseTimes'> {
  /** What happens to it when it is at this step for the `nth` time. */
  at?: { step: WriterStep; nth: number; table?: DataType; afterMs?: number; signal?: 'SIGKILL' | 'SIGSTOP' }
}

type Contract = typeof writerContract & typeof control

export interface WriterChild {
  client: Client<Contract>
  /** When its engines are composed; fails when it dies before. */
  started: Promise<unknown>
  signal: (name: NodeJS.Signals) => void
  ended: Promise<NodeJS.Signals | null>
  /** What it said where errors go, its end. */
  complaint: () => string
  /** In order; what it left unfinished. */
  close: () => Promise<string[]>
}

let bundled: Promise<string> | undefined

const BUNDLE = resolve(import.meta.dirname, `../../node_modules/.cache/k2-tests/writer-${process.pid}.mjs`)

/** When no more writers are started; the next one makes it anew. */
export function removeBundle(): void {
  bundled = undefined
  rmSync(BUNDLE, { force: true })
}

/** Once a run, as Node starts a single file much sooner than two hundred. */
function bundle(): Promise<string> {
  return (bundled ??= (async () => {
    await build({
      entryPoints: [join(import.meta.dirname, 'writer-child-process.ts')],
      outfile: BUNDLE,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      logLevel: 'error',
    })
    return BUNDLE
  })())
}

export async function startWriterChild(config: Config, faults: ChildFaults = {}): Promise<WriterChild> {
  const child = fork(await bundle(), [JSON.stringify(faults)], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [],
  })
  let said = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-20_000)))
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  const ended = new Promise<NodeJS.Signals | null>(resolve => {
    child.once('exit', (_, signal) => {
      process.off('exit', kill)
      resolve(signal)
    })
  })
  const port = childPort(child)
  const client = connectClient({ ...writerContract, ...control }, splitPort(port).asking)
  const started = client['engine.start']({ options: { config, byItself: true } })
  started.catch(() => {}) // heard by whoever waits for it
  return {
    client,
    started,
    signal: name => void child.kill(name),
    ended,
    complaint: () => said,
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return []
      const answer = await client['engine.close']({}).catch(() => ({ unfinished: ['It was gone.'] }))
      port.close()
      await ended
      return answer.unfinished
    },
  }
}
