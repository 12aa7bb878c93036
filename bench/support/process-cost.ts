// What another process of this machine has cost so far, as Linux counts it.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
/** In /proc/PID/stat behind the name, which may itself have spaces. */
const [USER_TICKS, SYSTEM_TICKS] = [11, 12] as const

/** Processor time of all its threads, in steps of 10 ms. */
export function processorMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) / TICKS_PER_SECOND) * 1e6
}

/** The most that was ever resident. */
export function peakMegabytes(pid: number): number {
  const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return (Number(found![1]) * 1024) / 1e6
}

/** Of the last minute: what else the machine does. */
export function loadAverage(): string {
  return readFileSync('/proc/loadavg', 'utf8').split(' ')[0]
}
