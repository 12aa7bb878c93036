// A FileIO that keeps its promises until its n-th operation: for tests of what a commit leaves when the disk or the net fails.
import { Failure } from '../../src/contract/failure.ts'
import type { FileIO } from '../../src/main/lake/io/file-io.ts'

/** Operations that are counted; `list` counts once a call, `draftPath` and `release` never. */
export type FileOperation = 'read' | 'write' | 'adopt' | 'open' | 'remove' | 'list'

export interface Fault {
  /** Counted from 0 over the operations in `only`, or over all. */
  at: number
  only?: readonly FileOperation[]
  /**
   * before: it fails and did nothing. after: it fails, but took effect, as when the answer was lost.
   * half: a write fails and half of the bytes stand in its place; other operations fail as `before` does.
   * hang, hangAfter: it never ends, before or after it took effect, but for its signal: what a killed process leaves.
   */
  how: 'before' | 'after' | 'half' | 'hang' | 'hangAfter'
  /** Every operation from then on fails too, as on a disk that stays full. */
  lasting?: boolean
  error?: () => Error
}

export interface FaultyFiles extends FileIO {
  /** All operations so far, in the order of their start, as `write file:///…`. */
  operations: () => readonly string[]
  /** Whether the fault has happened. */
  struck: () => boolean
  /** Resolves when the fault happens: the moment to give up on what hangs. */
  whenStruck: Promise<void>
}

export function faultyFiles(io: FileIO, fault?: Fault): FaultyFiles {
  const operations: string[] = []
  let counted = 0
  let struck = false
  let tellStruck!: () => void
  const whenStruck = new Promise<void>(resolve => (tellStruck = resolve))

  function isDue(operation: FileOperation): boolean {
    if (fault === undefined || (fault.only !== undefined && !fault.only.includes(operation))) return false
    const index = counted++
    return index === fault.at || (fault.lasting === true && index > fault.at)
  }

  async function run<T>(
    operation: FileOperation,
    location: string,
    work: () => Promise<T>,
    { signal, half = async () => {} }: { signal?: AbortSignal; half?: () => Promise<void> } = {},
  ): Promise<T> {
    operations.push(`${operation} ${location}`)
    if (fault === undefined || !isDue(operation)) return work()
    const { how } = fault
    if (how === 'after' || how === 'hangAfter') await work()
    if (how === 'half') await half()
    struck = true
    tellStruck()
    if (how === 'hang' || how === 'hangAfter') await untilAborted(signal)
    throw fault.error?.() ?? new Failure('UNAVAILABLE', `Injected: ${operation} of ${location} failed (${how}).`)
  }

  return {
    read: (location, range, signal) => run('read', location, () => io.read(location, range, signal), { signal }),
    write: (location, bytes, signal) =>
      run('write', location, () => io.write(location, bytes, signal), {
        signal,
        half: () => io.write(location, bytes.subarray(0, bytes.length >> 1)),
      }),
    adopt: (localPath, location, signal) =>
      run('adopt', location, () => io.adopt(localPath, location, signal), { signal }),
    open: (location, signal) => run('open', location, () => io.open(location, signal), { signal }),
    remove: location => run('remove', location, () => io.remove(location)),
    async *list(folder) {
      await run('list', folder, async () => {})
      yield* io.list(folder)
    },
    draftPath: location => io.draftPath(location),
    close: () => io.close(),
    operations: () => operations,
    struck: () => struck,
    whenStruck,
  }
}

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(new Failure('CANCELLED', 'Stopped before it was done, as asked.')))
  })
}
