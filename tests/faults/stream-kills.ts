// A writer killed again and again, at every step and at any time, while the log fills.
import { setTimeout as sleep } from 'node:timers/promises'
import { openScope } from '../support/scope.ts'
import { openStreamPlace, type StreamPlace, type StreamServers } from '../support/stream-place.ts'
import { judgeStream, type Verdict } from '../support/stream-verdict.ts'
import { untilCommitted } from '../support/stream-wait.ts'
import type { ChildFaults } from '../support/writer-child.ts'
import type { Random } from './random.ts'
import { openS3Lake } from './s3-lake.ts'

const STEPS = ['taken', 'staged', 'dead_letters', 'sequence_gaps', 'committing', 'committed', 'noted'] as const
export type KillAt = (typeof STEPS)[number] | 'any time'
export const KILLS: readonly KillAt[] = [...STEPS, 'any time']

/** From its start to the last of what it does within a second. */
const MOST_MS = 2_500
/** One that has not come to its step by then never will. */
const AT_LAST_MS = 40_000
/** A second flush is only come to with more to flush. */
const MORE_EVERY_MS = 2_000
const MORE_MESSAGES = 500

export interface KillsOptions {
  kills: readonly KillAt[]
  /** Of each topic, between two kills; more where it takes them to come to a step. */
  messages: number
  random: Random
  onKill?: (n: number, at: KillAt, killed: boolean) => void
  /** Tables on an object store behind a REST catalog, instead of in a folder. */
  onS3?: boolean
}

export async function killWriter(servers: StreamServers, options: KillsOptions): Promise<Killed> {
  if (!options.onS3) return killOften(await openStreamPlace(servers, { name: 'kills' }), options)
  const scope = openScope()
  try {
    const { lake } = await openS3Lake(scope)
    return await killOften(await openStreamPlace(servers, { name: 'kills-s3', lake }), options)
  } finally {
    await scope.close()
  }
}

type Killed = Verdict & { killedAtStep: number }

async function killOften(place: StreamPlace, options: KillsOptions): Promise<Killed> {
  const { kills, messages, random, onKill } = options
  try {
    let killedAtStep = 0
    for (const [n, at] of kills.entries()) {
      const ended = killOnce(place, at, random)
      await produceUntil(place, messages, ended)
      const killed = await ended
      if (killed) killedAtStep++
      onKill?.(n + 1, at, killed)
    }
    const writer = await place.startWriter()
    await untilCommitted(place, writer)
    const unfinished = await writer.close()
    const verdict = await judgeStream(place)
    return { ...verdict, killedAtStep, complaints: [...verdict.complaints, ...unfinished] }
  } finally {
    await place.close()
  }
}

async function produceUntil(place: StreamPlace, messages: number, ended: Promise<unknown>): Promise<void> {
  let isOver = false
  const over = ended.finally(() => (isOver = true))
  await place.feed.produce(messages)
  while (!isOver) {
    await Promise.race([sleep(MORE_EVERY_MS), over])
    if (!isOver) await place.feed.produce(MORE_MESSAGES)
  }
}

/** Whether it died where it was meant to. */
async function killOnce(place: StreamPlace, at: KillAt, random: Random): Promise<boolean> {
  const step: ChildFaults['at'] =
    at === 'any time'
      ? undefined
      : {
          step: at,
          nth: 1 + random(at === 'taken' ? 8 : 2),
          table: random(2) === 0 ? 'trades' : 'quotes',
          // At once, or while what comes next is under way.
          afterMs: random(2) === 0 ? undefined : random(30),
        }
  const writer = await place.startWriter({ at: step })
  if (!step) await sleep(random(MOST_MS))
  const late = setTimeout(() => writer.signal('SIGTERM'), AT_LAST_MS)
  if (!step) writer.signal('SIGKILL')
  const signal = await writer.ended
  clearTimeout(late)
  return signal === 'SIGKILL'
}
