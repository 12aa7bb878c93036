// A process of its own that commits to a table in a SQL catalog, and says each commit that it was told has landed.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSqlCatalog } from '../../../../src/main/lake/catalog/sql.ts'
import { localFiles } from '../../../../src/main/lake/io/local.ts'
import { appendUntilLanded, TRADES } from './catalog-writing.ts'

export interface WriterProcess {
  /** Notes of the commits that landed, as far as it came to say so. */
  landed: string[]
  kill: () => void
  /** Its exit code, null when it was killed, and what it complained of. */
  ended: Promise<{ code: number | null; complaint: string }>
}

export function startWriterProcess(file: string, name: string, commits: number): WriterProcess {
  const words = ['--import', 'tsx', import.meta.filename, file, name, String(commits)]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  const landed: string[] = []
  createInterface(child.stdout).on('line', line => landed.push(line))
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text))
  const ended = new Promise<{ code: number | null; complaint: string }>(resolve =>
    child.once('close', code => resolve({ code, complaint })),
  )
  return { landed, kill: () => child.kill('SIGKILL'), ended }
}

if (process.argv[1] === import.meta.filename) {
  const [file, name, commits] = process.argv.slice(2)
  const catalog = openSqlCatalog({ file, name: 'k2', io: localFiles(), warehouse: '/unused' })
  for (let i = 0; i < Number(commits); i++) {
    const note = `${name}-${i}`
    await appendUntilLanded(catalog, TRADES, note)
    console.log(note)
    // Without a breath the writer that has just won wins again, and another may land nothing for half a minute.
    await sleep(Math.random() * 5)
  }
  await catalog.close()
}
