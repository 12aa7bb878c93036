// Everything but the window: engines, REST, WebSocket and, where wanted, the page for a browser.
import { join } from 'node:path'
import { version } from '../../package.json'
import type { Client, Dispatch } from '../contract/capability.ts'
import { contract, type K2 } from '../contract/index.ts'
import { closeInOrder, type CloseStep } from './base/close-in-order.ts'
import { timeLimit } from './base/in-time.ts'
import { createLog, type Log } from './base/log.ts'
import { compose, type Composed, type ComposeOptions } from './compose.ts'
import { openProfile } from './config/profile.ts'
import type { Config } from './config/settings.ts'
import { loadSample } from './load-sample.ts'
import { connectDirect } from './wire/direct.ts'
import { createHttpServer } from './wire/http/server.ts'

export interface ServeOptions {
  config: Config
  /** Serve the page to a browser too. */
  ui: boolean
  /** Start the simulated market with this. */
  demo?: Parameters<Client<K2>['demo.start']>[0]
  startProcess?: ComposeOptions['startProcess']
}

export interface Serving {
  url: string
  /** Opens the page, once; absent without a page. */
  pageUrl?: string
  dispatch: Dispatch
  client: Client<K2>
  /** The live view acts as if it were so many messages behind; 0 ends it. */
  simulateLag: Composed['simulateLag']
  /** Takes no more from the log, commits what was taken, and tells what was written since the start. */
  finishWriting: Composed['finishWriting']
  /** Connections first, then engines, then the profile; what is not done when the signal aborts is named. */
  close: (signal: AbortSignal) => Promise<string[]>
}

export async function serve({ config, ui, demo, startProcess }: ServeOptions): Promise<Serving> {
  const profile = openProfile(config.profile)
  const logFolder = join(config.profile, 'logs')
  const log = createLog({ ...config.log, environment: config.environment, folder: logFolder })
  for (const warning of config.warnings) log.warn(warning)
  /** What is open, in the order in which it is to be closed. */
  const open: CloseStep[] = [
    { name: 'profile', close: () => profile.close() },
    { name: 'log', close: () => log.close() },
  ]
  const close = (signal: AbortSignal) => closeInOrder(open, signal)
  try {
    const engines = compose({ config, log, logFolder, version, placement: 'process', startProcess })
    const { dispatch, metrics, metricsText } = engines
    open.unshift(...engines.closeSteps)
    const server = createHttpServer({
      contract,
      dispatch,
      version,
      ...config.api,
      rendererFolder: ui ? join(import.meta.dirname, '../renderer') : undefined,
      metricsText,
      observe: metrics.observeHttp,
      log: log.child({ component: 'http' }),
    })
    metrics.beforeRead(() => metrics.set('k2_http_requests_in_progress', server.inProgress()))
    open.unshift({ name: 'connections', close: () => server.close() })
    const client = connectDirect(contract, dispatch)
    const { url } = await server.listen()
    profile.writeInstance({ url })
    if (demo) {
      await client['demo.start'](demo)
      const sample = loadSampleBeside(client, log)
      open.unshift({ name: 'sample data', close: sample.stop })
    }
    const pageUrl = ui ? `${url}/?token=${server.issuePageToken()}` : undefined
    const { finishWriting, simulateLag } = engines
    return { url, pageUrl, dispatch, client, finishWriting, simulateLag, close }
  } catch (error) {
    await close(timeLimit(2_000))
    throw error
  }
}

/** Nobody waits for it: the page and the live market are there meanwhile. */
function loadSampleBeside(client: Client<K2>, log: Log): { stop: () => Promise<void> } {
  const abort = new AbortController()
  const loading = loadSample(client, abort.signal).then(
    ({ rows, skipped }) => log.info('sample data is in the tables', { rows, skipped }),
    (error: unknown) => {
      if (!abort.signal.aborted) log.error('sample data could not be loaded', { error })
    },
  )
  return {
    async stop() {
      abort.abort()
      await loading
    },
  }
}
