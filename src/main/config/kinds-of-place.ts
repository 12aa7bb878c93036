// Kinds of settings that say where something is: addresses, brokers, hosts, the warehouse, the catalog.
import { isIP } from 'node:net'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { list, understood, type Kind } from './kinds.ts'

const text = z.string().trim()

export const webUrl = text.pipe(z.url({ protocol: /^https?$/ })).describe('an http:// or https:// address')
export const websocketUrl = text.pipe(z.url({ protocol: /^wss?$/ })).describe('a ws:// or wss:// address')

export const origins = list(
  understood('an origin such as https://desk.example.com, without a path', given =>
    /^https?:\/\//.test(given) && URL.canParse(given) && new URL(given).origin === given.toLowerCase()
      ? given.toLowerCase()
      : undefined,
  ),
)

const HOST = String.raw`(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}))`

export const brokers = list(
  understood('host:port', given => {
    const port = new RegExp(`^${HOST}:(\\d{1,5})$`).exec(given)?.[1]
    return port && Number(port) >= 1 && Number(port) <= 65_535 ? given : undefined
  }),
)

export const hostNames = list(
  understood('host names without a port', given =>
    new RegExp(`^${HOST}$`).test(given) ? given.toLowerCase() : undefined,
  ),
)

export const bindAddress = understood('a host name or an IP address of this machine, without a port', given => {
  const bare = given.replace(/^\[(.*)\]$/, '$1')
  return isIP(bare) || new RegExp(`^${HOST}$`).test(bare) ? bare : undefined
})

export const topics = list(
  text.regex(/^(?!\.\.?$)[\w.-]{1,249}$/).describe('topic names of letters, digits, dot, dash and underscore'),
)

export const pattern = understood('a regular expression', given => {
  try {
    new RegExp(given)
    return given
  } catch {
    return undefined
  }
})

export type Warehouse = { kind: 'folder'; path: string } | { kind: 's3'; bucket: string; prefix: string }

/** A prefix has no slash at either end. */
export const warehouse: Kind<Warehouse> = understood('a folder, file:///folder or s3://bucket/prefix', given => {
  const [, scheme] = /^([a-z][a-z0-9+.-]+):\/\//i.exec(given) ?? []
  if (!scheme) return given === '' ? undefined : { kind: 'folder', path: given }
  if (scheme === 's3') {
    const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/+(.*))?$/.exec(given) ?? []
    return bucket ? { kind: 's3', bucket, prefix: prefix.replace(/\/+$/, '') } : undefined
  }
  try {
    return scheme === 'file' ? { kind: 'folder', path: fileURLToPath(given) } : undefined
  } catch {
    return undefined
  }
})

export type CatalogAt = { kind: 'sqlite' } | { kind: 'rest'; url: string }

export const catalog: Kind<CatalogAt> = understood("sqlite, or an Iceberg REST catalog's http(s) address", given => {
  if (given.toLowerCase() === 'sqlite') return { kind: 'sqlite' }
  const url = webUrl.safeParse(given)
  return url.success ? { kind: 'rest', url: url.data } : undefined
})

export type RegistryAuth = { user: string; password: string } | { token: string }

export const registryAuth: Kind<RegistryAuth> = understood('user:password, or a token', given => {
  const colon = given.indexOf(':')
  if (given === '' || colon === 0) return undefined
  return colon < 0 ? { token: given } : { user: given.slice(0, colon), password: given.slice(colon + 1) }
})
