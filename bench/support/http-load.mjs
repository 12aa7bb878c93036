// Clients that ask for one address again and again, in a process of their own: argv is address, key, clients, seconds.
import { Agent, get } from 'node:http'
import { performance } from 'node:perf_hooks'

const [address, key, clients, seconds] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true, maxSockets: Number(clients) })
const elapsedMs = []

const ask = () =>
  new Promise((resolve, reject) => {
    const started = performance.now()
    get(address, { agent, headers: { 'x-api-key': key } }, answer => {
      if (answer.statusCode !== 200) reject(new Error(`answered ${answer.statusCode}`))
      answer.resume().on('end', () => resolve(elapsedMs.push(performance.now() - started)))
    }).on('error', reject)
  })

const started = performance.now()
const until = started + Number(seconds) * 1000
await Promise.all(
  Array.from({ length: Number(clients) }, async () => {
    while (performance.now() < until) await ask()
  }),
)
const perSecond = (elapsedMs.length / (performance.now() - started)) * 1000
agent.destroy()
process.stdout.write(JSON.stringify({ perSecond, elapsedMs }))
