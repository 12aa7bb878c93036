// How loaded the live view is, by how far it is behind and how much memory it has left: entered at once, left slowly.

/** In the order of k2_degradation_level, 0 to 4. */
export const LOAD_LEVELS = ['NORMAL', 'SOFT', 'GRACEFUL', 'AGGRESSIVE', 'CIRCUIT_BREAK'] as const
export type LoadLevel = (typeof LOAD_LEVELS)[number]

export function levelNumber(level: LoadLevel): 0 | 1 | 2 | 3 | 4 {
  return LOAD_LEVELS.indexOf(level) as 0 | 1 | 2 | 3 | 4
}

export interface Load {
  /** Messages in the log that have not been read yet; undefined while nobody has looked. */
  lag: number | undefined
  /** Of its budget, 1 being all. */
  memoryShare: number
}

export interface LoadChange extends Load {
  level: LoadLevel
  previous: LoadLevel
}

export interface LoadLevels {
  /** The level with this load; a level left needs an update to be noticed. */
  update: (load: Load) => LoadLevel
  level: () => LoadLevel
}

export interface LoadLevelOptions {
  /** Only differences count, so the default is one that nobody sets. */
  clock?: { nowMs: () => number }
  onChange?: (change: LoadChange) => void
}

/** From this on a level is entered, NORMAL always. */
const LAG_ENTERS = [0, 100_000, 500_000, 1_000_000, 5_000_000] as const
const MEMORY_ENTERS = [0, 0.7, 0.8, 0.9, 0.95] as const
/** A level is left when the lag has been below half of what enters it … */
const LAG_LEAVES = LAG_ENTERS.map(lag => lag / 2)
/** … and memory ten points below: half of a budget is what a calm process may well hold, and no level would be left. */
const MEMORY_LEAVES = MEMORY_ENTERS.map(share => share - 0.1)
/** … for so long. */
const LEFT_AFTER_MS = 30_000

export function createLoadLevel({ clock = performanceClock, onChange }: LoadLevelOptions = {}): LoadLevels {
  /** When the load last kept each level. */
  const keptAtMs = LOAD_LEVELS.map(() => -Infinity)
  let level = 0
  let isCatchingUp = true
  /** Of what had gathered before the start. */
  let leastLag = Infinity

  function update({ lag, memoryShare }: Load): LoadLevel {
    const nowMs = clock.nowMs()
    // What has gathered while the program was off is no load of now, until it was nearly read; what comes on top is.
    isCatchingUp &&= lag === undefined || lag >= LAG_ENTERS[1]
    leastLag = Math.min(leastLag, lag ?? Infinity)
    const countedLag = lag === undefined ? 0 : isCatchingUp ? lag - leastLag : lag
    const entered = highest(i => countedLag >= LAG_ENTERS[i] || memoryShare >= MEMORY_ENTERS[i])
    const before = level
    for (let i = 1; i <= Math.max(before, entered); i++)
      if (i <= entered || countedLag >= LAG_LEAVES[i] || memoryShare >= MEMORY_LEAVES[i]) keptAtMs[i] = nowMs
    level = Math.max(
      entered,
      highest(i => i <= before && nowMs - keptAtMs[i] < LEFT_AFTER_MS),
    )
    if (level !== before) onChange?.({ level: LOAD_LEVELS[level], previous: LOAD_LEVELS[before], lag, memoryShare })
    return LOAD_LEVELS[level]
  }
  return { update, level: () => LOAD_LEVELS[level] }
}

function highest(holds: (level: number) => boolean): number {
  let level = LOAD_LEVELS.length - 1
  while (level > 0 && !holds(level)) level--
  return level
}

const performanceClock = { nowMs: () => performance.now() }
