// What is declared of a setting.
import type { Kind } from './kinds.ts'

/** The effective text of a setting declared further up; empty when there is none. */
export type Texts = (name: string) => string
export type Environment = Readonly<Record<string, string | undefined>>

export interface Setting<T = unknown> {
  name: string
  kind: Kind<T>
  /** Text like any other, so that what a default says can also be typed. */
  fallback: string | ((texts: Texts, env: Environment) => string)
  about: string
  /** How a computed default is told in words. */
  shown?: string
  /** The option on the command line, without its dashes. */
  flag?: string
  secret?: boolean
  /** May be a path: relative ones count from the working folder, in the configuration file from the profile. */
  path?: boolean
}

type Details = Pick<Setting, 'shown' | 'flag' | 'secret' | 'path'>

export function setting<T>(
  name: string,
  kind: Kind<T>,
  fallback: Setting['fallback'],
  about: string,
  details: Details = {},
): Setting<T> {
  return { name, kind, fallback, about, ...details }
}
