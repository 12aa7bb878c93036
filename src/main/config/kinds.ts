// What the text of a setting may say and what it becomes: zod schemas from text whose description is the allowed values.
import { z } from 'zod'

export type Kind<T> = z.ZodType<T, string>

const text = z.string().trim()

export const word = text.regex(/^[\w.-]{1,64}$/).describe('letters, digits, dot, dash and underscore')
export const anyText = text.min(1).describe('any text')
export const path = text.min(1).describe('a path')
export const toggle = text.pipe(z.stringbool()).describe('true or false')

export function whole(min: number, max: number): Kind<number> {
  return text
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.int().min(min).max(max))
    .describe(`a whole number from ${min} to ${max}`)
}

export function amount(min: number, max: number): Kind<number> {
  return text
    .regex(/^\d{1,15}(\.\d{1,9})?$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .describe(`a number from ${min} to ${max}`)
}

export function choice<const V extends readonly string[]>(...values: V): Kind<V[number]> {
  const byLowerCase = new Map(values.map(value => [value.toLowerCase(), value]))
  return understood(`${values.slice(0, -1).join(', ')} or ${values.at(-1)}`, given =>
    byLowerCase.get(given.toLowerCase()),
  )
}

/** Comma-separated; empty text is the empty list. Repetitions are dropped. */
export function list<T>(item: Kind<T>): Kind<T[]> {
  return text
    .transform(given => [...new Set(given.split(',').map(part => part.trim()))].filter(part => part !== ''))
    .pipe(z.array(item))
    .describe(`a comma list of: ${item.description}`)
}

/** Empty text is undefined. */
export function optional<T>(kind: Kind<T>): Kind<T | undefined> {
  const nothing = z.literal('').transform((): T | undefined => undefined)
  return z.union([nothing, kind]).describe(kind.description!)
}

/** A kind with a reading of its own; undefined means it was not understood. */
export function understood<T>(allowed: string, read: (given: string) => T | undefined): Kind<T> {
  return text
    .transform((given, context) => {
      const value = read(given)
      if (value !== undefined) return value
      context.addIssue(allowed)
      return z.NEVER
    })
    .describe(allowed)
}
