// What is wrong with a value and what is allowed, in words for people; a schema's own words come before these.
import type { z } from 'zod'

type Issue = z.core.$ZodRawIssue

export function problemOf(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is required' : `must be ${KINDS[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.join(', ')}`
    case 'too_small':
      return limited(issue, issue.minimum, issue.inclusive === false ? 'more than' : 'at least')
    case 'too_big':
      return limited(issue, issue.maximum, issue.inclusive === false ? 'less than' : 'at most')
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`
    default:
      return undefined
  }
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
}

const COUNTED: Readonly<Record<string, [one: string, many: string]>> = {
  string: ['character', 'characters'],
  array: ['entry', 'entries'],
  set: ['entry', 'entries'],
}

function limited({ origin }: { origin: string }, limit: number | bigint, most: string): string {
  const counted = Object.hasOwn(COUNTED, origin) ? COUNTED[origin] : undefined
  if (!counted) return `must be ${most} ${limit}`
  if (limit === 1 && most === 'at least') return 'must not be empty'
  return `must have ${most} ${limit} ${counted[limit === 1 ? 0 : 1]}`
}
