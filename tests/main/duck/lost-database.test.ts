import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openDuck } from '../../../src/main/duck/open-duck.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

it('goes on after a damaged file has taken its database down', async () => {
  const duck = await openDuck({ threads: 1, memoryMb: 64 })
  onTestFinished(() => duck.close())
  const path = join(makeTempFolder(), 'a.parquet')
  const first = await duck.connect()
  await first.run(`COPY (SELECT 1.5::DECIMAL(18, 8) AS price) TO '${path}' (FORMAT parquet)`)
  const bytes = readFileSync(path)
  const isLost = () =>
    first.run('SELECT 1').then(
      () => false,
      () => true,
    )
  // Several bits of the footer do it, as those that make a decimal of more digits than there are.
  let lost = false
  for (let bit = (bytes.length - 1) * 8; bit >= 0 && !lost; bit--) {
    const damaged = path.replace('a.parquet', `${bit}.parquet`)
    const copy = Uint8Array.from(bytes)
    copy[bit >> 3] ^= 1 << (bit & 7)
    writeFileSync(damaged, copy)
    lost = await first.run(`FROM parquet_schema('${damaged}')`).then(() => false, isLost)
  }
  expect(lost).toBe(true)

  const [second, third] = await Promise.all([duck.connect(), duck.connect()])
  for (const connection of [second, third, await duck.connect()]) {
    const [row] = await (
      await connection.run(`SELECT price::VARCHAR, current_setting('TimeZone') FROM '${path}'`)
    ).getRows()
    expect(row).toEqual(['1.50000000', 'UTC'])
  }
})
