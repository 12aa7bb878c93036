import { setImmediate as turn } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { stayAwake } from '../../../src/main/host/stay-awake.ts'

it('turns the loop for so long after the last call, once a turn, and then lets it sleep', async () => {
  const immediate = vi.spyOn(globalThis, 'setImmediate')
  const now = vi.spyOn(performance, 'now')
  try {
    now.mockReturnValue(100)
    const awake = stayAwake(5)
    awake()
    awake()
    expect(immediate).toHaveBeenCalledTimes(1)
    await turn()
    await turn()
    expect(immediate.mock.calls.length).toBeGreaterThanOrEqual(3)
    now.mockReturnValue(104)
    awake()
    now.mockReturnValue(108)
    const before = immediate.mock.calls.length
    await turn()
    await turn()
    expect(immediate.mock.calls.length).toBeGreaterThan(before)
    now.mockReturnValue(109)
    await turn()
    await turn()
    const asleep = immediate.mock.calls.length
    await turn()
    await turn()
    expect(immediate).toHaveBeenCalledTimes(asleep)
    awake()
    expect(immediate).toHaveBeenCalledTimes(asleep + 1)
  } finally {
    now.mockRestore()
    immediate.mockRestore()
  }
})
