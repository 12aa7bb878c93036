// A capability is declared once: what it takes, what it gives, how it fails, where it is reached.
// Handlers, clients, wire messages, routes, OpenAPI, command line and tests are functions of this declaration.
import type { z } from 'zod'
import type { FailureCode } from './failure.ts'

export type Kind = 'call' | 'stream'

export interface HttpRoute {
  method: 'GET' | 'POST'
  path: `/${string}`
  /** Reached without a key; only health and the like. */
  open?: boolean
  /** A stream is served at the address of another one too: where `query` is given there, in place of the field. */
  also?: { path: `/${string}`; query: string; field: string }
}

export interface CliCommand {
  /** The words after `k2`, e.g. `query recent`. */
  command: string
  /** Other words for the same. */
  also?: readonly string[]
  /** Input fields given by place instead of by flag, in order. */
  positional?: readonly string[]
  /** Where a person at a terminal is better served by another default than a script. */
  defaults?: Readonly<Record<string, unknown>>
  /** Several capabilities under one command: the value of `--type` that picks this one, the first being the default. */
  type?: string
}

export interface Capability<
  I extends z.ZodType = z.ZodType,
  O extends z.ZodType = z.ZodType,
  K extends Kind = Kind,
  E extends FailureCode = FailureCode,
> {
  kind: K
  summary: string
  input: I
  /** What a call gives, or each batch of a stream. */
  output: O
  /** Failures a caller should be ready for, beside INVALID_INPUT, CANCELLED and INTERNAL, which any may give. */
  errors: readonly E[]
  http?: HttpRoute
  cli?: CliCommand
  /** The stream that gives the same rows as the bytes of a file, where a `format` other than JSON is asked for. */
  file?: string
}

type Declaration<I extends z.ZodType, O extends z.ZodType, E extends FailureCode> = Omit<
  Capability<I, O, Kind, E>,
  'kind' | 'errors'
> & { errors?: readonly E[] }

/** One question, one answer. */
export function call<I extends z.ZodType, O extends z.ZodType, const E extends FailureCode = never>(
  declaration: Declaration<I, O, E>,
): Capability<I, O, 'call', E> {
  return { kind: 'call', errors: [], ...declaration }
}

/** Batches until one side ends it. A slow reader pauses the producer; leaving early cancels it. */
export function stream<I extends z.ZodType, O extends z.ZodType, const E extends FailureCode = never>(
  declaration: Declaration<I, O, E>,
): Capability<I, O, 'stream', E> {
  return { kind: 'stream', errors: [], ...declaration }
}

export type Contract = Readonly<Record<string, Capability>>

/** Where a request came in; engines must not care, logs and metrics do. */
export type Door = 'direct' | 'port' | 'ws' | 'http' | 'cli'

/** What travels with a request to its handler. */
export interface Context {
  /** Aborts when the caller cancels or vanishes. */
  signal: AbortSignal
  correlationId: string
  door: Door
}

/** What an engine must implement, by capability name. */
export type Handlers<C extends Contract> = {
  [N in keyof C]: C[N] extends Capability<infer I, infer O, infer K>
    ? K extends 'call'
      ? (input: z.output<I>, context: Context) => Promise<z.input<O>> | z.input<O>
      : (input: z.output<I>, context: Context) => AsyncIterable<z.input<O>>
    : never
}

export interface CallOptions {
  signal?: AbortSignal
  correlationId?: string
}

/** What a renderer, a command or a test holds, by capability name; the same over every transport. */
export type Client<C extends Contract> = {
  [N in keyof C]: C[N] extends Capability<infer I, infer O, infer K>
    ? K extends 'call'
      ? (input: z.input<I>, options?: CallOptions) => Promise<z.output<O>>
      : (input: z.input<I>, options?: CallOptions) => AsyncIterable<z.output<O>>
    : never
}

/** Validates, runs, and gives back the answer or the stream; every transport calls this and nothing else. */
export type Dispatch = (name: string, input: unknown, context: Context) => Promise<unknown> | AsyncIterable<unknown>
