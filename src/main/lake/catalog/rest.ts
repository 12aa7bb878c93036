// An Iceberg REST catalog, by its OpenAPI: the server writes the metadata files and decides where tables go.
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { Failure } from '../../../contract/failure.ts'
import { maskSecrets } from '../../base/mask.ts'
import type { TableMetadata } from '../iceberg/metadata.ts'
import type { Catalog, CommitOutcome, LoadedTable, TableName } from './catalog.ts'
import { createRestClient, OutcomeOpen } from './rest-client.ts'
import { creationOf, requestedTable } from './rest-create.ts'
import { errorOf, restFailure } from './rest-failure.ts'
import { openHttp, type HttpAnswer } from '../../base/http.ts'
import { readTable } from './rest-table.ts'
import { openTokens } from './rest-token.ts'

export interface RestCatalogOptions {
  url: string
  token?: string
  /** An OAuth2 client, `id:secret`. */
  credential?: string
  /** Where that client gets its token; the catalog's own `/v1/oauth/tokens` when absent. */
  tokenUrl?: string
  scope?: string
  /** The server's name of the warehouse. */
  warehouse?: string
  /** An authority to trust besides the well-known ones, PEM. */
  caFile?: string
  timeoutMs?: number
  /** Before a call is tried again; for tests. */
  pauseMs?: number
}

/** Asks nothing yet: a server that is down now may be up when it is needed. */
export async function openRestCatalog(options: RestCatalogOptions): Promise<Catalog> {
  const { token, credential, scope, warehouse, caFile, timeoutMs, pauseMs } = options
  const url = options.url.replace(/\/+$/, '').replace(/\/v1$/, '')
  const about = `the REST catalog ${maskSecrets(url)}`
  const http = openHttp({ ca: caFile ? authorities(caFile) : undefined, timeoutMs })
  const tokenUrl = options.tokenUrl ?? `${url}/v1/oauth/tokens`
  const tokens = openTokens({ http, about, token, credential, scope, tokenUrl })
  const client = createRestClient({ http, tokens, about, url, warehouse, pauseMs })
  /** Tables as last loaded, each with the mark by which the server says that it is unchanged. */
  const known = new Map<string, { mark: string; table: LoadedTable }>()

  const tablesPath = (namespace: string) => `namespaces/${encodeURIComponent(namespace)}/tables`
  const tablePath = ({ namespace, name }: TableName) => `${tablesPath(namespace)}/${encodeURIComponent(name)}`

  function absent(table: TableName): Failure {
    known.delete(textOf(table))
    return new Failure('NOT_FOUND', `There is no table ${textOf(table)} in ${about}; create it first.`)
  }

  async function decoded(answer: HttpAnswer, table: TableName): Promise<LoadedTable> {
    return readTable(answer.text, await client.config(), `${textOf(table)} in ${about}`)
  }

  async function loadTable(table: TableName, signal?: AbortSignal): Promise<LoadedTable> {
    const before = known.get(textOf(table))
    const headers = {
      'x-iceberg-access-delegation': 'vended-credentials',
      ...(before && { 'if-none-match': before.mark }),
    }
    const answer = await client.call({ method: 'GET', path: tablePath(table), headers, signal })
    if (answer.status === 304 && before) return before.table
    if (answer.status === 404 && isMissing(answer)) throw absent(table)
    if (answer.status !== 200) throw restFailure(about, answer)
    const loaded = await decoded(answer, table)
    const mark = answer.headers.etag
    // Vended keys end; a table that comes with them is asked for whole, so that they are renewed.
    if (mark && !loaded.config?.['s3.session-token']) known.set(textOf(table), { mark, table: loaded })
    else known.delete(textOf(table))
    return loaded
  }

  /** An unknown outcome says nothing about what is in the table; who asks must look. */
  async function post(table: TableName, requirements: readonly unknown[], updates: readonly unknown[]) {
    const identifier = { namespace: [table.namespace], name: table.name }
    let answer: HttpAnswer
    try {
      answer = await client.call({
        method: 'POST',
        path: tablePath(table),
        body: { identifier, requirements, updates },
      })
    } catch (error) {
      if (!(error instanceof OutcomeOpen)) throw error
      return { state: 'unknown', cause: error.cause } satisfies CommitOutcome
    }
    if (answer.status === 409) return { state: 'conflict', why: errorOf(answer).message } satisfies CommitOutcome
    if (answer.status === 404 && isMissing(answer)) throw absent(table)
    if (answer.status < 200 || answer.status >= 300) throw restFailure(about, answer)
    try {
      return { state: 'committed', table: await decoded(answer, table) } satisfies CommitOutcome
    } catch (cause) {
      return { state: 'unknown', cause } satisfies CommitOutcome // it landed, but what is current now must be asked
    }
  }

  /** Where it goes and who it is, as the server decides before anything exists. */
  async function stage(table: TableName, metadata: TableMetadata): Promise<TableMetadata> {
    const body = requestedTable(table.name, metadata)
    const path = tablesPath(table.namespace)
    let answer = await changed({ method: 'POST', path, body })
    if (answer.status === 404) {
      const made = await changed({ method: 'POST', path: 'namespaces', body: { namespace: [table.namespace] } })
      if (made.status !== 200 && made.status !== 409) throw restFailure(about, made)
      answer = await changed({ method: 'POST', path, body })
    }
    if (answer.status === 409) throw exists(table)
    if (answer.status !== 200) throw restFailure(about, answer)
    return (await decoded(answer, table)).metadata
  }

  /** For calls that can be repeated by the user: an open outcome is a plain failure. */
  async function changed(call: Parameters<typeof client.call>[0]): Promise<HttpAnswer> {
    try {
      return await client.call(call)
    } catch (error) {
      throw error instanceof OutcomeOpen ? notKnown(about, error.cause) : error
    }
  }

  function exists(table: TableName): Failure {
    return new Failure('CONFLICT', `The table ${textOf(table)} exists already in ${about}; it was left as it is.`)
  }

  return {
    about,
    async listTables(namespace) {
      const found: TableName[] = []
      for (let page = ''; ;) {
        const query = page === '' ? '' : `?pageToken=${encodeURIComponent(page)}`
        const answer = await client.call({ method: 'GET', path: tablesPath(namespace) + query })
        if (answer.status === 404 && isMissing(answer)) return []
        if (answer.status !== 200) throw restFailure(about, answer)
        const listed = JSON.parse(answer.text) as {
          identifiers?: { name: string }[]
          'next-page-token'?: string | null
        }
        found.push(...(listed.identifiers ?? []).map(({ name }) => ({ namespace, name })))
        page = listed['next-page-token'] ?? ''
        if (page === '') return found
      }
    },

    async createTable(table, metadata) {
      const staged = await stage(table, metadata)
      const outcome = await post(table, [{ type: 'assert-create' }], creationOf(metadata, staged))
      if (outcome.state === 'committed') return outcome.table
      if (outcome.state === 'conflict') throw exists(table)
      const now = await loadTable(table).catch(() => {
        throw notKnown(about, outcome.cause)
      })
      if (now.metadata['table-uuid'] !== staged['table-uuid']) throw exists(table)
      return now
    },

    loadTable,

    commit: (table, _base, requirements, updates) => post(table, requirements, updates),

    async dropTable(table) {
      const answer = await changed({ method: 'DELETE', path: `${tablePath(table)}?purgeRequested=false` })
      if (answer.status === 404 && isMissing(answer)) throw absent(table)
      if (answer.status < 200 || answer.status >= 300) throw restFailure(about, answer)
      known.delete(textOf(table))
    },

    async close() {
      client.close()
    },
  }
}

/** And not merely a wrong address, which answers 404 as well. */
function isMissing(answer: HttpAnswer): boolean {
  return /^NoSuch/.test(errorOf(answer).type)
}

function textOf({ namespace, name }: TableName): string {
  return `${namespace}.${name}`
}

function notKnown(about: string, cause: unknown): Failure {
  return new Failure('UNAVAILABLE', `It is not known whether ${about} did what was asked. Look, then try again.`, {
    cause,
  })
}

/** With the well-known ones: a list of one's own replaces them in Node. */
function authorities(caFile: string): string {
  try {
    const own = readFileSync(caFile, 'utf8')
    new X509Certificate(own)
    return [...rootCertificates, own].join('\n')
  } catch (cause) {
    throw new Failure(
      'INVALID_INPUT',
      `The authority's file ${caFile} (K2_CA_FILE) cannot be read as a certificate in PEM. Name another file.`,
      { cause },
    )
  }
}
