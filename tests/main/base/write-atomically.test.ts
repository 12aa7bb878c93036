// Files replaced whole.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { writeAtomically } from '../../../src/main/base/write-atomically.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

it('replaces a file, for its owner only, and leaves nothing beside it', () => {
  const folder = makeTempFolder()
  const path = join(folder, 'settings.json')
  writeFileSync(path, 'old')
  writeAtomically(path, 'new')
  expect(readFileSync(path, 'utf8')).toBe('new')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toEqual(['settings.json'])
})

it('leaves the old one and no draft when it cannot replace it', () => {
  const folder = makeTempFolder()
  mkdirSync(join(folder, 'taken'))
  writeFileSync(join(folder, 'taken', 'inside'), 'old')
  expect(() => writeAtomically(join(folder, 'taken'), 'new')).toThrow()
  expect(readdirSync(folder)).toEqual(['taken'])
  expect(readFileSync(join(folder, 'taken', 'inside'), 'utf8')).toBe('old')
})
