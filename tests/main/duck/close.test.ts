import { expect, it } from 'vitest'
import { openDuck } from '../../../src/main/duck/open-duck.ts'
import { runSql } from '../../../src/main/duck/run-sql.ts'

it('ends what is still running when it is closed, so that the program can end', { timeout: 10_000 }, async () => {
  const duck = await openDuck({ threads: 2 })
  const connections = await Promise.all([duck.connect(), duck.connect()])
  const endless = connections.map(connection =>
    runSql(connection, 'SELECT count(*) FROM range(1000000000000) a, range(1000000) b').then(
      () => 'done',
      (error: unknown) => (error as { code?: string }).code,
    ),
  )
  await new Promise(resolve => setTimeout(resolve, 200))
  await duck.close()
  expect(await Promise.all(endless)).toEqual(['CANCELLED', 'CANCELLED'])
})
