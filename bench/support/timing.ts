// How long work takes: rounds of it, and what two that are compared take when their rounds alternate.
export interface Times {
  min: number
  p50: number
  p99: number
}

export function timesOf(elapsedMs: readonly number[]): Times {
  const sorted = elapsedMs.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  return { min: sorted[0], p50: at(0.5), p99: at(0.99) }
}

export async function elapsedMsOf(work: () => unknown): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

export async function timeRounds(rounds: number, work: (round: number) => unknown): Promise<Times> {
  const elapsedMs: number[] = []
  for (let round = 0; round < rounds; round++) elapsedMs.push(await elapsedMsOf(() => work(round)))
  return timesOf(elapsedMs)
}

/**
 * Each of the competitors tells its own milliseconds, so that what lies between the processes is not counted. Who comes
 * first changes from round to round: the second finds in the processor's caches what both read.
 */
export async function alternate<K extends string>(
  rounds: number,
  competitors: Record<K, (round: number) => Promise<number>>,
): Promise<Record<K, Times>> {
  const names = Object.keys(competitors) as K[]
  const elapsedMs = new Map<K, number[]>(names.map(name => [name, []]))
  for (let round = 0; round < rounds; round++)
    for (const name of round % 2 === 0 ? names : names.toReversed())
      elapsedMs.get(name)!.push(await competitors[name](round))
  return Object.fromEntries(names.map(name => [name, timesOf(elapsedMs.get(name)!)])) as Record<K, Times>
}

export function spread({ min, p50, p99 }: Times): string {
  return `least ${short(min)}, p50 ${short(p50)}, p99 ${short(p99)}`
}

export function short(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en')
}
