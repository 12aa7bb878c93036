// A chain of small files, each made once under the number after the last one: whoever makes a number has it.
import { Failure } from '../../../contract/failure.ts'
import type { FileIO } from '../io/file-io.ts'
import type { LeaseOwner } from './lease.ts'

export interface ChainLink {
  number: number
  owner: LeaseOwner
  /** Since when the owner has it, by its own clock, milliseconds since 1970. */
  sinceMs: number
  /** The owner wants it no more. */
  released: boolean
}

export interface Chain {
  io: FileIO
  folder: string
}

const locationOf = ({ folder }: Chain, number: number) => `${folder}/${number}.json`

/** The one with the highest number; nothing in a chain that has none yet. */
export async function lastLink(chain: Chain): Promise<ChainLink | undefined> {
  for (;;) {
    const number = Math.max(0, ...(await numbersIn(chain)))
    if (number === 0) return undefined
    try {
      const bytes = await chain.io.read(locationOf(chain, number))
      return { ...parseLink(bytes), number }
    } catch (error) {
      // The next one has taken its place meanwhile.
      if (!(error instanceof Failure && error.code === 'NOT_FOUND')) throw error
    }
  }
}

/**
 * Whether the link is the last one now. Who slept meanwhile may make a number that was made before and is gone again:
 * it is not the highest then, and taken away. Those before it are of no use any more.
 */
export async function addLink(chain: Chain, { number, ...link }: ChainLink): Promise<boolean> {
  const location = locationOf(chain, number)
  try {
    await chain.io.write(location, Buffer.from(JSON.stringify(link)))
  } catch (error) {
    if (error instanceof Failure && error.code === 'CONFLICT') return false
    throw error
  }
  const numbers = await numbersIn(chain)
  if (Math.max(...numbers) > number) {
    await chain.io.remove(location)
    return false
  }
  const older = numbers.filter(other => other < number)
  await Promise.allSettled(older.map(other => chain.io.remove(locationOf(chain, other))))
  return true
}

async function numbersIn({ io, folder }: Chain): Promise<number[]> {
  const numbers: number[] = []
  for await (const { location } of io.list(folder)) {
    const [, digits] = /\/(\d+)\.json$/.exec(location) ?? []
    if (digits !== undefined) numbers.push(Number(digits))
  }
  return numbers
}

/** A file that a crash left empty has an owner that nobody is. */
function parseLink(bytes: Uint8Array): Omit<ChainLink, 'number'> {
  try {
    const { owner, sinceMs, released } = JSON.parse(Buffer.from(bytes).toString()) as ChainLink
    return { owner: { host: owner.host, pid: owner.pid, id: owner.id }, sinceMs, released }
  } catch {
    return { owner: { host: 'unknown', pid: 0, id: '' }, sinceMs: 0, released: false }
  }
}
