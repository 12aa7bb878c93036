// Whether the process that left a note of itself is still the one that runs, also after its number was given to another.
import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'

export interface ProcessNote {
  pid: number
  /** When the process started, ISO 8601. */
  startedAt: string
  /** Which boot and which tick of it the process started in, where the system tells; exact, whatever the clock does. */
  mark?: string
}

/** Written by a process: whether the machine has been started anew since. Without /proc by its uptime, in doubt yes. */
export function noteBoot(): string {
  return readBoot() ?? new Date().toISOString()
}

export function isSameBoot(note: string): boolean {
  const boot = readBoot()
  return boot === undefined ? Date.parse(note) > Date.now() - uptime() * 1000 + CLOCK_SLACK_MS : note === boot
}

function readBoot(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch {
    return undefined
  }
}

const OWN_START = new Date(performance.timeOrigin).toISOString()
const CLOCK_SLACK_MS = 60_000

export function noteOwnProcess(): ProcessNote {
  return { pid: process.pid, startedAt: OWN_START, mark: readMark(process.pid) }
}

export function isRunning({ pid, startedAt, mark }: ProcessNote): boolean {
  if (mark !== undefined) return readMark(pid) === mark
  if (pid === process.pid) return startedAt === OWN_START
  if (Date.parse(startedAt) < Date.now() - uptime() * 1000 - CLOCK_SLACK_MS) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Undefined for a process that is gone, and where there is no /proc. */
function readMark(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // After the name in parentheses, which may hold anything: state, then 18 numbers, then the start in ticks.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z') return undefined
    const boot = readBoot()
    return boot === undefined ? undefined : `${boot}:${fields[19]}`
  } catch {
    return undefined
  }
}
