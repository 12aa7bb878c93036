// The simulated market where there is a Kafka: only where it is for development.
import { describe, expect, it } from 'vitest'
import { openLive } from '../support/live-engine.ts'
import { makeTempFolder } from '../support/temp-folder.ts'

/** Nobody listens there: what is refused is refused before anything is asked of it. */
const NOWHERE = '127.0.0.1:1'

describe('the simulated market', () => {
  it('is refused where Kafka is not for development, and says what to do', async () => {
    const { client } = await openLive({
      K2_PROFILE: makeTempFolder(),
      K2_KAFKA_BROKERS: NOWHERE,
      K2_ENVIRONMENT: 'production',
    })
    await expect(client['demo.start']({})).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('K2_ENVIRONMENT') as string,
    })
    expect(await client['demo.status']({})).toMatchObject({ running: false, messages: 0 })
  })

  it('runs on the embedded log whatever the environment is called', async () => {
    const { client } = await openLive({ K2_PROFILE: makeTempFolder(), K2_ENVIRONMENT: 'production' })
    expect(await client['demo.start']({})).toMatchObject({ running: true })
  })
})
