// The connection: it comes, goes, comes again by itself, and notices when nobody answers.
import { describe, expect, it } from 'vitest'
import { openTestLink, until } from '../../support/page-link.ts'

describe('the connection', () => {
  it('hands out a client once K2 has answered', async () => {
    const { link } = openTestLink()
    expect(link.store.getState()).toEqual({ state: 'connecting' })
    await until(() => link.store.getState().state === 'connected')
    expect(link.store.getState().about).toMatchObject({ name: 'K2 Workstation' })
    await expect(link.store.getState().client!['system.live']({})).resolves.toMatchObject({ status: 'alive' })
  })

  it('is lost with a reason and since when, and comes back by itself', async () => {
    const test = openTestLink()
    const { store } = test.link
    await until(() => store.getState().state === 'connected')
    test.isRefusing = true
    test.cut()
    await until(() => store.getState().state === 'lost' && test.opened() > 3)
    const { lostAtMs, why, client, about } = store.getState()
    expect(why).toBe('K2 does not answer.')
    expect(client).toBeUndefined()
    expect(about, 'what is known of K2 stays').toBeDefined()
    await until(() => test.opened() > 5)
    expect(store.getState().lostAtMs, 'lost since the first time, not since the last try').toBe(lostAtMs)
    test.isRefusing = false
    await until(() => store.getState().state === 'connected')
    expect(store.getState()).toMatchObject({ why: undefined, lostAtMs: undefined, retryAtMs: undefined })
  })

  it('waits longer from try to try, up to a limit', async () => {
    const test = openTestLink({ isRefusing: true, backoffMs: [5, 60] })
    await until(() => test.opened() >= 2)
    const started = performance.now()
    await until(() => test.opened() >= 4)
    expect(performance.now() - started).toBeGreaterThan(100)
  })

  it('tries at once when asked to', async () => {
    const test = openTestLink({ isRefusing: true, backoffMs: [60_000] })
    await until(() => test.link.store.getState().state === 'lost')
    test.isRefusing = false
    test.link.reconnect()
    await until(() => test.link.store.getState().state === 'connected')
    expect(test.opened()).toBe(2)
  })

  it('counts as lost when K2 stays silent on an open connection', async () => {
    const test = openTestLink({ answerMs: 60, checkEveryMs: 20, backoffMs: [5] })
    const { store } = test.link
    await until(() => store.getState().state === 'connected')
    test.load.answerAfterMs = 500
    await until(() => store.getState().state === 'lost')
    expect(store.getState().why).toMatch(/has not answered for 0\.06 s/)
    test.load.answerAfterMs = 0
    await until(() => store.getState().state === 'connected')
  })
})
