// Writes resources/sample anew and prints the table that its README carries: node --import tsx src/main/sources/sample/write-sample.ts
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { sampleFiles } from './sample-files.ts'

const folder = resolve(import.meta.dirname, '../../../../resources/sample')
mkdirSync(folder, { recursive: true })
for (const { name, text, rows } of sampleFiles()) {
  const bytes = name.endsWith('.gz') ? gzipSync(text, { level: 9 }) : Buffer.from(text)
  writeFileSync(join(folder, name), bytes)
  const hash = createHash('sha256').update(bytes).digest('hex')
  process.stdout.write(`| ${name} | ${rows} | ${bytes.length} | \`${hash}\` |\n`)
}
