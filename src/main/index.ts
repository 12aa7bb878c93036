// Electron's entry. Its first line runs before anything can start libuv's threads, on which DuckDB runs and files are written.
const { UV_THREADPOOL_SIZE, K2_QUERY_POOL_SIZE } = process.env
process.env.UV_THREADPOOL_SIZE = String(
  Math.max(16, Number(UV_THREADPOOL_SIZE) || 0, (Number(K2_QUERY_POOL_SIZE) || 5) + 8),
)

async function start(): Promise<void> {
  const [{ startShell }, { launchFlags }, { loadConfig }] = await Promise.all([
    import('./shell/start.ts'),
    import('./shell/launch-flags.ts'),
    import('./config/load-config.ts'),
  ])
  const flags = launchFlags(process.argv)
  await startShell(() => {
    const config = loadConfig({ flags, env: process.env })
    return {
      profile: config.profile,
      connect: config.connect,
      apiKey: config.api.apiKey,
      // Loaded only here, so that a thin client starts without any engine.
      loadEngines: async ({ startProcess }) => {
        const [{ serve }, { servePort }] = await Promise.all([import('./serve.ts'), import('./wire/serve-port.ts')])
        const { rate, speed, seed } = flags
        const demo = flags.demo ? { rate: toNumber(rate), speed: toNumber(speed), seed: toNumber(seed) } : undefined
        const serving = await serve({ config, ui: false, demo, startProcess })
        return { host: port => servePort(port, serving.dispatch, 'port'), close: signal => serving.close(signal) }
      },
    }
  })
}

/** What is no number is refused by the contract, with the name of the field. */
function toNumber(flag: string | true | undefined): number | undefined {
  return flag === undefined ? undefined : Number(flag === true ? NaN : flag)
}

void start()
