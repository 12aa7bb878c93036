// The stack in docker-compose.yml: whole, pinned, on loopback, and what its comment tells K2 is what it serves.
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { loadSaid } from './main/config/load.ts'

interface Service {
  image: string
  build?: string
  ports?: string[]
  environment?: Record<string, string | number>
  volumes?: string[]
  depends_on?: Record<string, { condition: string }>
  mem_limit?: string
  healthcheck?: { test: string[]; interval: string; timeout: string; retries: number }
}

const root = resolve(import.meta.dirname, '..')
const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8')
const stack = parse(text, { merge: true }) as { services: Record<string, Service>; volumes: Record<string, null> }
const { services } = stack
const each = Object.entries(services)

/** Services that others wait to end, not to be healthy. */
const jobs = new Set(
  each.flatMap(([, { depends_on = {} }]) =>
    Object.entries(depends_on)
      .filter(([, { condition }]) => condition === 'service_completed_successfully')
      .map(([name]) => name),
  ),
)

const published = each.flatMap(([name, { ports = [] }]) =>
  ports.map(port => {
    const [address, host, container] = port.split(':')
    return { name, address, host: Number(host), container: Number(container) }
  }),
)

const serviceAt = (url: string) => {
  const { hostname, port } = new URL(url.includes('://') ? url : `kafka://${url}`)
  return hostname === '127.0.0.1' ? published.find(({ host }) => host === Number(port))?.name : undefined
}

const documented = Object.fromEntries(
  [...text.matchAll(/^# {3}(K2_\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
)
const environmentOf = (name: string) => services[name].environment as Record<string, string>

describe('what the comment tells K2', () => {
  const load = () => loadSaid({ env: documented })

  it('is a configuration that K2 accepts without a warning', () => {
    expect(Object.keys(documented).length).toBeGreaterThan(5)
    expect(load().warnings).toEqual([])
  })

  it('leads to the services that answer there', () => {
    const { catalog, kafka, registry, s3 } = load()
    expect(kafka.brokers.map(serviceAt)).toEqual(['kafka'])
    expect(registry.urls.map(serviceAt)).toEqual(['schema-registry-1', 'schema-registry-2'])
    expect(serviceAt(s3.endpoint!)).toBe('s3')
    expect(catalog.at.kind === 'rest' && serviceAt(catalog.at.url)).toBe('iceberg-rest')
  })

  it('names the keys, region and bucket of the store, as the catalog does', () => {
    const { lake, s3 } = load()
    const store = environmentOf('s3')
    const catalog = environmentOf('iceberg-rest')
    expect([store.ROOT_ACCESS_KEY, store.ROOT_SECRET_KEY, store.VGW_REGION]).toEqual([
      s3.accessKey,
      s3.secretKey,
      s3.region,
    ])
    expect([catalog.AWS_ACCESS_KEY_ID, catalog.AWS_SECRET_ACCESS_KEY, catalog.AWS_REGION]).toEqual([
      s3.accessKey,
      s3.secretKey,
      s3.region,
    ])
    expect(catalog.CATALOG_WAREHOUSE).toBe(documented.K2_WAREHOUSE)
    expect(s3.pathStyle).toBe(true)
    const { entrypoint } = services['s3-bucket'] as { entrypoint?: string[] }
    expect(lake.warehouse).toMatchObject({ kind: 's3', bucket: entrypoint?.at(-1)?.replace('/data/', '') })
  })

  it('is what the broker advertises to this machine, under an id that Kafka takes', () => {
    expect(Buffer.from(environmentOf('kafka').CLUSTER_ID, 'base64url')).toHaveLength(16)
    expect(environmentOf('kafka').KAFKA_ADVERTISED_LISTENERS).toContain(`HOST://${documented.K2_KAFKA_BROKERS}`)
  })
})

describe('every service', () => {
  it('has an image of one version', () => {
    const bases = each.flatMap(([, { build }]) =>
      build ? [/^FROM (\S+)/m.exec(readFileSync(join(root, build, 'Dockerfile'), 'utf8'))![1]] : [],
    )
    const images = [...each.map(([, { image }]) => image), ...bases]
    expect(bases).toHaveLength(1)
    expect(images.filter(image => !/:v?\d+\.\d+(\.\d+)?(-[\w.]+)?$/.test(image))).toEqual([])
  })

  it('tells whether it is healthy, but for jobs, and has a limit of memory', () => {
    expect([...jobs]).toEqual(['s3-bucket'])
    expect(each.filter(([name, { healthcheck }]) => (healthcheck === undefined) !== jobs.has(name))).toEqual([])
    const limits = each.map(([, { mem_limit = '' }]) => Number(mem_limit.replace(/m$/, '').replace(/^1g$/, '1024')))
    expect(limits.every(mb => mb > 0)).toBe(true)
    expect(limits.reduce((sum, mb) => sum + mb)).toBeLessThanOrEqual(4096)
  })

  it('waits for services that there are, and for their health where they tell it', () => {
    for (const [, { depends_on = {} }] of each) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        expect(services, name).toHaveProperty(name)
        expect(condition).toBe(jobs.has(name) ? 'service_completed_successfully' : 'service_healthy')
      }
    }
  })

  it('publishes on loopback, each port once, none of them the port of K2', () => {
    expect(published.filter(({ address }) => address !== '127.0.0.1')).toEqual([])
    const ports = published.map(({ host }) => host)
    expect(new Set(ports).size).toBe(ports.length)
    expect(ports).not.toContain(loadSaid().api.port)
  })

  it('publishes a port that it listens on', () => {
    for (const { name, container } of published) {
      const { healthcheck } = services[name]
      expect(healthcheck!.test.join(' '), name).toMatch(new RegExp(`(localhost|127\\.0\\.0\\.1):${container}\\b`))
    }
  })

  it('speaks to services that there are', () => {
    const spoken = each.flatMap(([, { environment = {} }]) =>
      Object.values(environment).flatMap(value =>
        [...String(value).matchAll(/(?:^|\/\/|@|,)([a-z][a-z0-9-]*):\d{4,5}\b/g)].map(([, host]) => host),
      ),
    )
    expect(new Set(spoken)).toEqual(new Set(['kafka', 'schema-registry-1', 's3', 'postgres']))
  })

  it('keeps its data in a volume with a name', () => {
    const used = each.flatMap(([, { volumes = [] }]) => volumes.map(volume => volume.split(':')[0]))
    expect(new Set(used)).toEqual(new Set(Object.keys(stack.volumes)))
  })
})

it('takes nothing from the environment or a .env file', () => {
  expect(text).not.toMatch(/\$\{?[A-Za-z_]/)
})
