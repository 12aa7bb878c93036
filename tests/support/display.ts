// A display for tests that open a window: the one there is, or an X server of our own in memory.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Readable } from 'node:stream'

export interface Display {
  env: Record<string, string>
  close: () => void
}

const ready = process.platform !== 'linux' || process.env.DISPLAY !== undefined

function findServer(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map(folder => join(folder, 'Xvfb')).find(existsSync)
}

export function findDisplay(): { missing?: string } {
  return ready || findServer() ? {} : { missing: 'there is no display: set DISPLAY or install xvfb' }
}

export async function openDisplay(): Promise<Display> {
  if (ready) return { env: {}, close: () => {} }
  // It picks a free number, writes it to the fourth descriptor once it takes connections, and ends with its last client.
  const words = ['-displayfd', '3', '-terminate', '-screen', '0', '1600x1000x24', '-nolisten', 'tcp']
  const server = spawn(findServer()!, words, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  const [number] = (await Promise.race([
    once(server.stdio[3] as Readable, 'data'),
    once(server, 'exit').then(() => Promise.reject(new Error('Xvfb ended at once'))),
  ])) as [Buffer]
  return { env: { DISPLAY: `:${String(number).trim()}` }, close: () => void server.kill() }
}
