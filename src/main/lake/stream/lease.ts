// Who writes a topic into a table: a lease in small files beside the table, so that of several K2 on one lake one works
// and the others follow. What guarantees that rows are written once is the vector in each commit; this spares wasted work.
//
// Of each topic there is a chain of files `<folder>/<topic>/<number>.json`, each made once and never changed. Whoever makes
// the next number has the lease: the holder each ten seconds, another one after it has seen no new number for thirty. The
// highest number counts, whatever else lies there, and numbers never begin anew: the last one of a holder that let go stays.
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../../contract/failure.ts'
import { deferred } from '../../base/deferred.ts'
import type { FileIO } from '../io/file-io.ts'
import { addLink, lastLink, type ChainLink } from './lease-chain.ts'

export interface LeaseOwner {
  host: string
  pid: number
  /** Of this writer: another one in the same process is another owner. */
  id: string
}

export interface HeldLease {
  /** Not when it could not be renewed for so long that another one may have taken it. */
  isHeld: () => boolean
  /** Why, once it is lost; never after `release`. */
  lost: Promise<Failure>
  /** Another one may have it at once. */
  release: () => Promise<void>
}

export interface HeldByOther {
  heldBy: LeaseOwner
  topic: string
  /** Since when, by its own clock. */
  sinceMs: number
}

export interface LeaseOptions {
  io: FileIO
  /** Below the table, where whoever may write to it may write too. */
  folder: string
  owner: LeaseOwner
  /** Whether a holder is known to be gone; one on another machine never is. */
  isGone?: (owner: LeaseOwner) => boolean
  /** Of a clock that only goes on; what machines think the time is does not matter. */
  elapsedMs?: () => number
  nowMs?: () => number
  renewEveryMs?: number
  staleMs?: number
}

export interface Leases {
  /** All of the topics, or none. To be asked again, by the same Leases, while another one holds them. */
  acquire: (topics: readonly string[]) => Promise<{ held: HeldLease } | HeldByOther>
}

const RENEW_EVERY_MS = 10_000
const STALE_MS = 30_000
/** What takes longer is left: the others wait until the lease is stale. */
const RELEASE_WITHIN_MS = 2_000

/** Where leases of a table lie: no reader of tables looks into it, nor does the removal of orphans. */
export function leaseFolder(location: string): string {
  return `${location.replace(/\/+$/, '')}/.k2-lease`
}

export function createLeases(options: LeaseOptions): Leases {
  const { io, folder, owner, isGone = isGoneHere, renewEveryMs = RENEW_EVERY_MS, staleMs = STALE_MS } = options
  const { elapsedMs = () => performance.now(), nowMs = () => Date.now() } = options
  /** The newest link of others, and when it was first seen. */
  const seen = new Map<string, { number: number; atMs: number }>()
  const chainOf = (topic: string) => ({ io, folder: `${folder}/${encodeURIComponent(topic)}` })

  function isFree(topic: string, last: ChainLink): boolean {
    if (last.released || isSame(last.owner, owner) || isGone(last.owner)) return true
    const before = seen.get(topic)
    if (before?.number !== last.number) seen.set(topic, { number: last.number, atMs: elapsedMs() })
    return before?.number === last.number && elapsedMs() - before.atMs >= staleMs
  }

  /** The number of this owner's link, or whose it is. */
  async function take(topic: string): Promise<number | HeldByOther> {
    for (;;) {
      const last = await lastLink(chainOf(topic))
      if (last && !isFree(topic, last)) return { heldBy: last.owner, topic, sinceMs: last.sinceMs }
      const link = { number: (last?.number ?? 0) + 1, owner, sinceMs: nowMs(), released: false }
      if (await addLink(chainOf(topic), link)) return link.number
      // Another one was faster: it is looked at in its turn.
    }
  }

  return {
    async acquire(topics) {
      const askedMs = elapsedMs()
      const numbers = new Map<string, number>()
      const sinceMs = nowMs()
      const letGo = async () => {
        const links = [...numbers].map(([topic, number]) => ({ topic, number: number + 1 }))
        const added = links.map(({ topic, number }) =>
          addLink(chainOf(topic), { number, owner, sinceMs, released: true }),
        )
        await Promise.allSettled(added)
      }
      try {
        // In one order, so that of two who want the same ones neither holds what the other waits for.
        for (const topic of [...new Set(topics)].sort()) {
          const taken = await take(topic)
          if (typeof taken !== 'number') {
            await letGo()
            return taken
          }
          numbers.set(topic, taken)
        }
      } catch (error) {
        await letGo()
        throw error
      }
      return { held: keep(numbers, { askedMs, sinceMs, letGo }) }
    },
  }

  function keep(
    numbers: Map<string, number>,
    { askedMs, sinceMs, letGo }: { askedMs: number; sinceMs: number; letGo: () => Promise<void> },
  ): HeldLease {
    const lost = deferred<Failure>()
    let renewedMs = askedMs
    let isOver = false
    let renewing: Promise<void> | undefined

    async function renew(): Promise<void> {
      const askedMs = elapsedMs()
      const results = await Promise.allSettled([...numbers].map(([topic, number]) => renewOne(topic, number + 1)))
      // Where the place cannot be asked, the lease is still ours: nobody else can take it there either.
      if (results.every(({ status }) => status === 'fulfilled')) renewedMs = askedMs
    }

    async function renewOne(topic: string, number: number): Promise<void> {
      if (await addLink(chainOf(topic), { number, owner, sinceMs, released: false })) {
        numbers.set(topic, number)
        return
      }
      const last = await lastLink(chainOf(topic))
      // Ours all the same, when the answer to an earlier try was lost.
      if (last && !last.released && isSame(last.owner, owner)) numbers.set(topic, last.number)
      else end(() => lost.resolve(takenAway(topic, last?.owner)))
    }

    function end(then: () => void): void {
      if (isOver) return
      isOver = true
      clearInterval(timer)
      then()
    }

    const timer = setInterval(() => {
      if (!isOver) renewing ??= renew().finally(() => (renewing = undefined))
    }, renewEveryMs)
    timer.unref()
    return {
      isHeld: () => !isOver && elapsedMs() - renewedMs < staleMs,
      lost: lost.promise,
      async release() {
        if (isOver) return
        end(() => {})
        const done = Promise.resolve(renewing).then(letGo)
        await Promise.race([done.catch(() => {}), sleep(RELEASE_WITHIN_MS, undefined, { ref: false })])
      },
    }
  }
}

function isSame(a: LeaseOwner, b: LeaseOwner): boolean {
  return a.host === b.host && a.pid === b.pid && a.id === b.id
}

function isGoneHere({ host, pid }: LeaseOwner): boolean {
  if (host !== hostname() || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

function takenAway(topic: string, by: LeaseOwner | undefined): Failure {
  const who = by ? `process ${by.pid} on ${by.host}` : 'another K2'
  return new Failure(
    'FENCED',
    `${who} writes ${topic} now: this K2 had not been heard of for too long. Nothing was lost; it follows what the other commits.`,
    { details: { topic, ...(by && { heldBy: by }) } },
  )
}
