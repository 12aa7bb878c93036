// Command line flags out of an input schema: one flag a field, with its words, limits and default.
import { Option } from 'commander'
import { z } from 'zod'
import type { Capability } from '../../../contract/capability.ts'
import { Failure } from '../../../contract/failure.ts'

/** Where a flag has another name than its field. */
const renamed: Readonly<Record<string, string>> = {
  start_time: 'start',
  end_time: 'end',
  snapshot_id: 'snapshot',
  data_type: 'type',
}
const letters: Readonly<Record<string, string>> = { symbol: 's', symbols: 's', exchange: 'e', limit: 'n', backlog: 'n' }

interface FieldSchema {
  type?: string
  description?: string
  default?: unknown
  enum?: readonly string[]
  minimum?: number
  maximum?: number
}

export interface Flag {
  /** The input field it fills. */
  field: string
  option: Option
}

export function flagsOf(capability: Capability): Flag[] {
  const schema = z.toJSONSchema(capability.input, { io: 'input', unrepresentable: 'any' }) as {
    properties?: Record<string, FieldSchema>
  }
  const positional = new Set(capability.cli?.positional)
  return Object.entries(schema.properties ?? {})
    .filter(([field]) => !positional.has(field))
    .map(([field, fieldSchema]) => ({ field, option: optionOf(capability, field, fieldSchema) }))
}

/** A refusal in the words that were typed: flags in the place of fields. */
export function inFlags(failure: Failure, capability: Capability): Failure {
  if (failure.code !== 'INVALID_INPUT' || !Array.isArray(failure.details)) return failure
  const positional = new Set(capability.cli?.positional)
  const said = (failure.details as { field: string; problem: string }[]).map(({ field, problem }) => {
    const name = field.replace(/\..*/, '')
    return `${positional.has(name) ? nameOf(name) : `--${nameOf(name)}`}: ${problem}`
  })
  return new Failure(failure.code, `${said.join('; ')}.`, { details: failure.details, cause: failure.cause })
}

function nameOf(field: string): string {
  return (renamed[field] ?? field).replaceAll('_', '-')
}

function optionOf({ cli, input }: Capability, field: string, schema: FieldSchema): Option {
  const long = `--${nameOf(field)}`
  // A command that takes one and several has the letter for several, which can be one.
  const isDouble = field === 'symbol' && input instanceof z.ZodObject && 'symbols' in input.shape
  const short = letters[field] && !isDouble ? `-${letters[field]}, ` : ''
  const value = schema.type === 'boolean' ? '' : ` <${schema.type === 'array' ? 'a,b,…' : valueName(schema)}>`
  const fallback = cli?.defaults?.[field] ?? schema.default
  const notes = [
    schema.description,
    range(schema),
    fallback === undefined ? '' : `default ${JSON.stringify(fallback).replaceAll('"', '')}`,
  ]
  const option = new Option(short + long + value, notes.filter(Boolean).join('; '))
  return schema.enum ? option.choices([...schema.enum]) : option
}

function valueName({ type }: FieldSchema): string {
  return type === 'integer' || type === 'number' ? 'n' : 'text'
}

function range({ minimum, maximum }: FieldSchema): string {
  const unbounded = (n?: number) => n === undefined || Math.abs(n) >= Number.MAX_SAFE_INTEGER
  return unbounded(minimum) || unbounded(maximum) ? '' : `${minimum}–${maximum}`
}

/** What was typed, by field; only what was typed, so that defaults stay the schema's. */
export function typedFields(flags: readonly Flag[], values: Record<string, unknown>): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const { field, option } of flags) {
    const value = values[option.attributeName()]
    if (value !== undefined) fields[field] = value
  }
  return fields
}
