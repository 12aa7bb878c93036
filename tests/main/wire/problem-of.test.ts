import { expect, test } from 'vitest'
import { z } from 'zod'
import { problemOf } from '../../../src/main/wire/problem-of.ts'

const own = z.string().regex(/^\d+$/, 'must be digits alone')

test.for<[string, z.ZodType, unknown]>([
  ['is required', z.string(), undefined],
  ['must be a text', z.string(), 5],
  ['must be a number', z.number(), 'many'],
  ['must be a whole number', z.int(), 1.5],
  ['must be a list', z.array(z.string()), 'BHP'],
  ['must be an object', z.object({}), 'BHP'],
  ['must be true or false', z.boolean(), 'yes'],
  ['must be at least 1', z.int().min(1), 0],
  ['must be at most 10000', z.int().max(10_000), 10_001],
  ['must be more than 0', z.number().positive(), 0],
  ['must be less than 0', z.number().negative(), 0],
  ['must not be empty', z.array(z.string()).min(1), []],
  ['must not be empty', z.string().min(1), ''],
  ['must have at most 2 entries', z.array(z.string()).max(2), ['a', 'b', 'c']],
  ['must have at most 1 character', z.string().max(1), 'ab'],
  ['must be one of 1m, 1h', z.enum(['1m', '1h']), '2h'],
  ['must be desc', z.literal('desc'), 'asc'],
  ['must be a multiple of 5', z.number().multipleOf(5), 7],
  ['must be digits alone', own, 'x1'],
])('says that it %s', ([said, schema, value]) => {
  const { error } = schema.safeParse(value, { error: problemOf })
  expect(error!.issues.map(({ message }) => message)).toEqual([said])
})
