// A DuckDB for one test.
import { onTestFinished } from 'vitest'
import { openDuck, type DuckOptions } from '../../../src/main/duck/open-duck.ts'

export async function openTestDuck(options: DuckOptions = {}) {
  const duck = await openDuck({ threads: 2, memoryMb: 1000, ...options })
  onTestFinished(() => duck.close())
  return { duck, connection: await duck.connect() }
}
