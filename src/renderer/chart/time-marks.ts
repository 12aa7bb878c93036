// Which bars have their time written below them: round times of day, and each day's first bar with its date.

export interface TimeMark {
  /** Of the bar. */
  index: number
  label: string
  /** A new day; months where bars are days. */
  isBreak: boolean
}

const STEP_MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720]
const ROOM_PX = 60
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const DAY_MS = 86_400_000

/** `wallMs` are the bars' starts as the zone's clocks show them, as milliseconds of UTC. */
export function timeMarks(wallMs: readonly number[], bandPx: number, areDays: boolean): TimeMark[] {
  const breaks = wallMs.flatMap((ms, index) => breakAt(ms, wallMs[index - 1], index, areDays) ?? [])
  const shown = apart(breaks, [], bandPx)
  return apart(wallMs.length === 0 ? [] : between(wallMs, bandPx, areDays), shown, bandPx)
}

function breakAt(ms: number, before: number | undefined, index: number, areDays: boolean): TimeMark | undefined {
  if (before === undefined) return undefined
  const now = new Date(ms)
  const then = new Date(before)
  if (areDays) {
    if (now.getUTCMonth() === then.getUTCMonth() && now.getUTCFullYear() === then.getUTCFullYear()) return undefined
    const year = now.getUTCFullYear() === then.getUTCFullYear() ? '' : ` ${now.getUTCFullYear()}`
    return { index, label: MONTHS[now.getUTCMonth()] + year, isBreak: true }
  }
  if (Math.floor(ms / DAY_MS) === Math.floor(before / DAY_MS)) return undefined
  return { index, label: dayLabel(now, then.getUTCFullYear() !== now.getUTCFullYear()), isBreak: true }
}

function dayLabel(day: Date, withYear: boolean): string {
  const year = withYear ? ` ${day.getUTCFullYear()}` : ''
  return `${DAYS[day.getUTCDay()]} ${day.getUTCDate()} ${MONTHS[day.getUTCMonth()]}${year}`
}

/** The finest step whose marks have room on average; a mark stands at the first bar of its step. */
function between(wallMs: readonly number[], bandPx: number, areDays: boolean): TimeMark[] {
  if (areDays) {
    const every = Math.max(1, Math.ceil(ROOM_PX / bandPx))
    return wallMs.flatMap((ms, index) =>
      index % every === 0 ? { index, label: String(new Date(ms).getUTCDate()), isBreak: false } : [],
    )
  }
  const most = Math.max(1, (wallMs.length * bandPx) / ROOM_PX)
  for (const minutes of STEP_MINUTES) {
    const stepMs = minutes * 60_000
    const marks = wallMs.flatMap((ms, index) =>
      index > 0 && Math.floor(ms / stepMs) !== Math.floor(wallMs[index - 1] / stepMs)
        ? { index, label: timeLabel(Math.floor(ms / stepMs) * stepMs), isBreak: false }
        : [],
    )
    if (marks.length <= most) return marks
  }
  return []
}

function timeLabel(ms: number): string {
  return new Date(ms).toISOString().slice(11, 16)
}

/** Adds those that have room beside what is there already. */
function apart(marks: readonly TimeMark[], there: readonly TimeMark[], bandPx: number): TimeMark[] {
  const placed = [...there]
  for (const mark of marks)
    if (placed.every(({ index }) => Math.abs(index - mark.index) * bandPx >= ROOM_PX)) placed.push(mark)
  return placed.sort((a, b) => a.index - b.index)
}
