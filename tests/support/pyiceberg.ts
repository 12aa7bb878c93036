// The judge: one Python process that stays, with PyIceberg and DuckDB's own Iceberg reader in it, asked in lines of JSON,
// so that a question costs milliseconds and not the second its imports take.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pythonEnvironment } from './python-tools.ts'

export interface Judge {
  /** What the script's question of this name answers; its exceptions are thrown here with Python's traceback. */
  ask: <T>(question: string, args?: object) => Promise<T>
  close: () => Promise<void>
}

interface Asked {
  resolve: (answer: never) => void
  reject: (error: Error) => void
}

const JUDGE = join(import.meta.dirname, 'python/judge.py')

/** It ends when its standard input does, so it cannot outlive this process. Benchmarks ask a script of their own. */
export async function startJudge(script = JUDGE): Promise<Judge> {
  const child = spawn('python3', [script], { env: pythonEnvironment(), stdio: 'pipe' })
  const asked = new Map<number, Asked>()
  let last = 0
  let complaints = ''
  let ended = false
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints = (complaints + text).slice(-10_000)))
  // What was written to a process that ended; `closed` tells why it ended.
  child.stdin.on('error', () => {})
  const closed = new Promise<void>(resolve => {
    child.once('error', error => (complaints += String(error)))
    child.once('close', () => {
      ended = true
      for (const { reject } of asked.values()) reject(new Error(`The judge ended: ${complaints}`))
      resolve()
    })
  })
  createInterface({ input: child.stdout }).on('line', line => {
    const { id, answer, error } = JSON.parse(line) as { id: number; answer?: never; error?: string }
    const { resolve, reject } = asked.get(id)!
    asked.delete(id)
    if (error === undefined) resolve(answer!)
    else reject(new Error(error))
  })

  const ask = <T>(question: string, args: object = {}) =>
    new Promise<T>((resolve, reject) => {
      if (ended) throw new Error(`The judge ended: ${complaints}`)
      const id = ++last
      asked.set(id, { resolve, reject })
      child.stdin.write(JSON.stringify({ id, question, args }) + '\n')
    })
  const close = async () => {
    child.stdin.end()
    await closed
  }
  await ask('versions')
  return { ask, close }
}
