// The end of the program: engines close in order within a deadline; who asks again does not wait.
export interface QuitOptions {
  /** Stops intake, flushes, commits, closes; names what it left when the signal aborted. */
  close: (signal: AbortSignal) => Promise<string[]>
  exit: (code: number) => void
  say: (line: string) => void
  deadlineMs?: number
}

/** What is closing gets this long after the abort to say what it left. */
const LAST_WORDS_MS = 200

/** Every way to quit calls the function this gives; its second call aborts the first. */
export function quitFlow({ close, exit, say, deadlineMs = 5_000 }: QuitOptions): (code: number) => void {
  let running: AbortController | undefined

  async function end(code: number, { signal }: AbortController): Promise<void> {
    const givenUp = new Promise<string[]>(resolve => {
      signal.addEventListener('abort', () => setTimeout(resolve, LAST_WORDS_MS, ['engines']), { once: true })
    })
    const unfinished = await Promise.race([close(signal), givenUp]).catch((error: unknown) => [String(error)])
    if (unfinished.length > 0) say(`K2 ended before it had finished: ${unfinished.join(', ')}.`)
    exit(code === 0 && unfinished.length > 0 ? 1 : code)
  }

  return code => {
    if (running) return running.abort()
    const mine = (running = new AbortController())
    const deadline = setTimeout(() => mine.abort(), deadlineMs)
    void end(code, mine).finally(() => clearTimeout(deadline))
  }
}
