// Why a broker cannot be reached, said so that whoever set it up knows what to check: against sockets that do what brokers,
// and others that are none, do.
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openLink, type KafkaAccess } from '../../../../src/main/log/kafka/link.ts'
import { asFailure } from '../../../../src/main/log/kafka/link-failure.ts'
import { freePort } from '../../../support/free-ports.ts'
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from '../../../support/loopback-certificate.ts'

const plain: KafkaAccess = { clientId: 'test', ssl: false, answerMs: 5_000 }
const withTls: KafkaAccess = { ...plain, ssl: { ca: LOOPBACK_CERTIFICATE } }

async function listening(server: Server): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** As a broker does on a port without TLS: what begins with a length that no request has ends the connection. */
const plainBroker = () => createServer(socket => socket.once('data', () => socket.destroy()))
const tlsBroker = () => {
  const server = createTlsServer({ key: LOOPBACK_KEY, cert: LOOPBACK_CERTIFICATE })
  server.on('tlsClientError', () => {})
  return server
}

const failing = async (address: string, access: KafkaAccess) => {
  const failure = await openLink(address, access).then(() => undefined, (error: unknown) => error) // prettier-ignore
  return failure as { code: string; message: string; retryable: boolean }
}

describe('a broker that cannot be reached', () => {
  it('says that nobody listens there, and what to check', async () => {
    const failure = await failing(`127.0.0.1:${await freePort()}`, plain)
    expect(failure).toMatchObject({ code: 'UNAVAILABLE', retryable: true })
    expect(failure.message).toMatch(/nobody listens there.*that the broker runs.*K2_KAFKA_BROKERS/)
  })

  it('says that its name is not known', async () => {
    const failure = await failing('no-such-host.invalid:9092', plain)
    expect(failure.message).toMatch(/name is not known.*K2_KAFKA_BROKERS/)
  })

  it('says that TLS is spoken to a port without it', async () => {
    const failure = await failing(await listening(plainBroker()), withTls)
    expect(failure.message).toMatch(/TLS.*set K2_KAFKA_SSL to false, or name its port with TLS in K2_KAFKA_BROKERS/)
    expect(failure.retryable).toBe(true)
  })

  it('says that a port with TLS is spoken to without it', async () => {
    const failure = await failing(await listening(tlsBroker()), plain)
    expect(failure.message).toMatch(/TLS.*set K2_KAFKA_SSL to true/)
  })

  it('says that it wants TLS, perhaps, when it closes without a word', async () => {
    const failure = await failing(await listening(plainBroker()), plain)
    expect(failure.message).toMatch(/may want TLS.*K2_KAFKA_SSL to true/)
  })

  it('says that it is no Kafka', async () => {
    const address = await listening(createServer(socket => socket.end('SSH-2.0-OpenSSH_9.2\r\n')))
    expect((await failing(address, plain)).message).toMatch(/not Kafka's protocol.*K2_KAFKA_BROKERS/)
    const web = await failing(await listening(createHttpServer()), plain)
    expect(web.message).toMatch(/a web server.*K2_KAFKA_BROKERS/)
  })

  it('says what the network does not let through', () => {
    const error = Object.assign(new Error('connect EHOSTUNREACH 10.0.0.1:9092'), { code: 'EHOSTUNREACH' })
    expect(asFailure(error, '10.0.0.1:9092', plain).message).toMatch(/no way there.*firewall/)
  })

  it('says why also where a name has several addresses', () => {
    const each = ['::1', '127.0.0.1'].map(host =>
      Object.assign(new Error(`connect ECONNREFUSED ${host}:9092`), { code: 'ECONNREFUSED' }),
    )
    const error = Object.assign(new AggregateError(each), { code: 'ECONNREFUSED' })
    expect(asFailure(error, 'localhost:9092', plain).message).toMatch(/nobody listens there/)
  })
})
