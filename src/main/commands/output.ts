// Where printed answers go: the standard output, or a file that is there whole or not at all.
import { once } from 'node:events'
import { open, rename, rm } from 'node:fs/promises'
import { Failure } from '../../contract/failure.ts'

export interface Output {
  write: (part: string | Uint8Array) => Promise<unknown>
  /** What was written is to be kept. */
  keep: () => Promise<void>
  /** Something went wrong on the way: what was there before stays. */
  discard: () => Promise<void>
}

export async function openFile(file: string): Promise<Output> {
  const part = `${file}.part`
  const cannot = (cause: unknown) => {
    const { message } = cause as Error
    return new Failure('INVALID_INPUT', `Cannot write to ${file}: ${message}. Choose another --out.`, { cause })
  }
  const handle = await open(part, 'w').catch((cause: unknown) => {
    throw cannot(cause)
  })
  return {
    write: part =>
      handle.appendFile(part).catch((cause: unknown) => {
        throw cannot(cause)
      }),
    async keep() {
      await handle.close()
      await rename(part, file).catch((cause: unknown) => {
        throw cannot(cause)
      })
    },
    async discard() {
      await handle.close()
      await rm(part, { force: true })
    },
  }
}

/** Waits while the reader behind the pipe is busy; a pipe that was closed (`| head`) ends the command quietly. */
export function standardOutput(): Output {
  process.stdout.on('error', () => process.exit(0))
  const nothing = () => Promise.resolve()
  return {
    async write(part) {
      if (!process.stdout.write(part)) await once(process.stdout, 'drain')
    },
    keep: nothing,
    discard: nothing,
  }
}
