// A process that writes to an embedded log in a folder without end, and tells what was taken; to be killed by a test.
import { spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { createEmbeddedLog } from '../../src/main/log/embedded.ts'
import { produced } from './log-messages.ts'

export const KILLED_TOPIC = 'market.crypto.trades.binance'
export const KILLED_PARTITIONS = 4
export const KILLED_LOG_BYTES = 64e6

/** Message `number` of all that were ever sent: the same whoever asks. */
export function messageAt(number: number): readonly [key: string, text: string] {
  return [`key ${number % 13}`, `${number}:${'x'.repeat((number * 7919) % 400)}`]
}

export interface LogProcess {
  /** Once it has written for a while. */
  running: Promise<void>
  kill: () => void
  /** All messages below this number were taken before it died. */
  ended: Promise<{ taken: number; complaint: string }>
}

export function startLogProcess(folder: string, from: number): LogProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', import.meta.filename, folder, String(from)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let taken = from
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text))
  const running = new Promise<void>(resolve => {
    createInterface(child.stdout).on('line', line => {
      taken = Number(line)
      resolve()
    })
    child.once('close', () => resolve())
  })
  const ended = new Promise<{ taken: number; complaint: string }>(resolve =>
    child.once('close', () => resolve({ taken, complaint })),
  )
  return { running, kill: () => child.kill('SIGKILL'), ended }
}

async function work(folder: string, from: number): Promise<void> {
  const log = createEmbeddedLog({ maxBytes: KILLED_LOG_BYTES, folder })
  await log.createTopics([{ name: KILLED_TOPIC, partitions: KILLED_PARTITIONS }])
  for (let number = from; ;) {
    const count = 1 + ((number * 31) % 400)
    await log.append(KILLED_TOPIC, produced(Array.from({ length: count }, (_, i) => messageAt(number + i))))
    number += count
    // At once and whole, so that what the test has read was taken.
    writeSync(1, `${number}\n`)
    await new Promise(setImmediate)
  }
}

if (process.argv[1] === import.meta.filename) await work(process.argv[2], Number(process.argv[3]))
