// Validate, run, validate. Every transport calls the function this makes, and nothing else.
import { z } from 'zod'
import type { Context, Contract, Dispatch, Handlers } from '../../contract/capability.ts'
import { Failure } from '../../contract/failure.ts'
import type { RequestEnd } from '../base/request-end.ts'
import { problemOf } from './problem-of.ts'

/** What to do with the end of every request: log it, count it. */
export type Observe = (end: RequestEnd) => void

export interface DispatchOptions {
  observe?: Observe
  /** Answers are checked against the contract too; for tests and development, as it costs time on every batch. */
  checkAnswers?: boolean
}

export function createDispatch<C extends Contract>(
  contract: C,
  handlers: Handlers<C>,
  { observe = () => {}, checkAnswers = false }: DispatchOptions = {},
): Dispatch {
  const table = handlers as Record<string, (input: unknown, context: Context) => unknown>

  return function dispatch(name, input, context) {
    const started = performance.now()
    const capability = Object.hasOwn(contract, name) ? contract[name] : undefined
    const end = (error?: unknown, answer?: unknown) => {
      const elapsedMs = performance.now() - started
      if (error === undefined) return observe({ name, context, elapsedMs, answer })
      const failure = error as Failure
      observe({ name, context, elapsedMs, failure, bug: failure.code === 'INTERNAL' ? failure.cause : undefined })
    }
    const checked = (value: unknown): unknown => (checkAnswers ? capability!.output.parse(value) : value)

    async function ask(): Promise<unknown> {
      try {
        const answer = checked(await table[name](parse(capability!.input, input, name), context))
        end(undefined, answer)
        return answer
      } catch (error) {
        const failure = toFailure(error, context)
        end(failure)
        throw failure
      }
    }
    async function* follow(): AsyncGenerator<unknown> {
      let ended = false
      try {
        const batches = table[name](parse(capability!.input, input, name), context) as AsyncIterable<unknown>
        for await (const batch of batches) yield checked(batch)
        ended = true
        end()
      } catch (error) {
        ended = true
        const failure = toFailure(error, context)
        end(failure)
        throw failure
      } finally {
        // The reader left at a `yield`: nothing above runs any more.
        if (!ended) end(gone())
      }
    }
    if (!capability || !table[name]) {
      const failure = new Failure('NOT_FOUND', `There is no capability named ${name}.`)
      end(failure)
      throw failure
    }
    return capability.kind === 'call' ? ask() : follow()
  }
}

function parse(schema: z.ZodType, input: unknown, name: string): unknown {
  const result = schema.safeParse(input ?? {}, { error: problemOf })
  if (result.success) return result.data
  throw invalidInput(name, result.error, schema)
}

export function gone(cause?: unknown): Failure {
  return new Failure('CANCELLED', 'The caller went away.', { cause })
}

/** Every field that is wrong, with what is allowed. */
export function invalidInput(what: string, error: z.ZodError, schema?: z.ZodType): Failure {
  const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
  const fields = error.issues.flatMap(issue => {
    const place = issue.path.join('.')
    if (issue.code !== 'unrecognized_keys') return { field: place || '(input)', problem: issue.message }
    const allowed = place ? '' : `; there are ${known.join(', ') || 'none'}`
    return issue.keys.map(key => ({ field: place ? `${place}.${key}` : key, problem: `no such field${allowed}` }))
  })
  const text = fields.map(({ field, problem }) => `${field}: ${problem}`).join('; ')
  return new Failure('INVALID_INPUT', `${what}: ${text}`, { details: fields })
}

/** A Failure as it is; anything else is a bug and crosses as INTERNAL with the id under which it is logged. */
export function toFailure(error: unknown, { signal, correlationId }: Context): Failure {
  if (error instanceof Failure) return error
  if (signal.aborted) return gone(error)
  return new Failure('INTERNAL', `Something went wrong in K2; look for ${correlationId} in its log.`, {
    details: { correlation_id: correlationId },
    cause: error,
  })
}
