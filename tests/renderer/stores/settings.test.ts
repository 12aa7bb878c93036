// Choices are remembered, and damage to what was remembered costs only the damaged one.
import { expect, it } from 'vitest'
import { openSettings } from '../../../src/renderer/stores/settings.ts'

function storage(saved?: string) {
  const kept = new Map(saved === undefined ? [] : [['k2.settings', saved]])
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  }
}

it('remembers what was chosen', () => {
  const place = storage()
  openSettings(place).setState({ theme: 'light', zone: 'utc', selected: 'BHP.ASX' })
  expect(openSettings(place).getState()).toMatchObject({
    theme: 'light',
    zone: 'utc',
    selected: 'BHP.ASX',
    rising: 'blue',
  })
})

it.each(['', '{', 'null', '[]', '"x"', '{"theme":"purple","zone":7,"selected":{}}'])(
  'starts from defaults on %j',
  saved => {
    expect(openSettings(storage(saved)).getState()).toEqual(openSettings(storage()).getState())
  },
)

it('keeps what is sound beside what is not', () => {
  const saved = '{"theme":"purple","density":"roomy"}'
  expect(openSettings(storage(saved)).getState()).toMatchObject({ theme: 'system', density: 'roomy' })
})
