// Browser mode: the page of the window served to a browser, for whoever has the address that K2 printed.
import { randomBytes } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Failure } from '../../../contract/failure.ts'
import { contentSecurityPolicy } from '../csp.ts'
import { readAssets, type Asset } from './assets.ts'
import { html, htmlPage, type Html } from './html.ts'
import { cookieOf, type Sessions } from './sessions.ts'

export interface PageOptions {
  rendererFolder: string
  sessions: Sessions
  cookieName: () => string
}

/** A route for every file there is: a path that leads elsewhere has no route. */
export async function addPage(app: FastifyInstance, options: PageOptions): Promise<void> {
  const { rendererFolder, sessions, cookieName } = options
  const assets = await readAssets(rendererFolder).catch(() => [])
  const index = assets.find(({ path }) => path === '/index.html')
  if (!index) throw new Failure('NOT_FOUND', `There is no page in ${rendererFolder}: build it with npm run build.`)
  for (const asset of assets) if (asset !== index) addAsset(app, asset)

  app.get('/', { config: { open: true } }, (request, reply) => {
    const cookie = cookieOf(request.headers.cookie, cookieName())
    const { token } = request.query as { token?: string | string[] }
    const hasSession = cookie !== undefined && sessions.has(cookie)
    if (token === undefined) return hasSession ? sendIndex(request, reply, index) : sendHowTo(reply, NO_SESSION)
    // A look ahead of the click, as mail and chat programs do it, must not use the token up.
    if (request.method === 'HEAD') return sendHowTo(reply, NO_SESSION)
    const session = hasSession ? cookie : sessions.exchangeToken(token.toString())
    if (!session) return sendHowTo(reply, BAD_TOKEN)
    reply.header('set-cookie', `${cookieName()}=${session}; Path=/; HttpOnly; SameSite=Strict`)
    return reply.redirect('/', 303)
  })
}

const NO_SESSION = html`Open K2 with the address it printed when it started, the one with <code>?token=</code> in it. It
  works once and for ten minutes; start K2 again for a new one.`
const BAD_TOKEN = html`This address was used already, is older than ten minutes, or was never given out. Start K2 again
for a new one.`

function sendHowTo(reply: FastifyReply, text: Html): FastifyReply {
  const nonce = newNonce()
  const title = 'K2 Workstation'
  const body = html`<h1>${title}</h1>
    <p>${text}</p>`
  return sendPage(reply.code(401), htmlPage({ title, nonce, body }), { nonce, connect: [] })
}

function sendIndex({ headers }: FastifyRequest, reply: FastifyReply, index: Asset): FastifyReply {
  const nonce = newNonce()
  const page = index.bytes.toString().replaceAll('__NONCE__', nonce)
  return sendPage(reply, page, { nonce, connect: ["'self'", `ws://${headers.host}`, `wss://${headers.host}`] })
}

export function sendPage(
  reply: FastifyReply,
  page: string,
  { nonce, connect }: { nonce: string; connect: readonly string[] },
): FastifyReply {
  return reply
    .headers({ 'content-security-policy': contentSecurityPolicy(nonce, connect) })
    .type('text/html; charset=utf-8')
    .send(page)
}

export function newNonce(): string {
  return randomBytes(16).toString('base64')
}

function addAsset(app: FastifyInstance, { path, type, bytes, gzipped, immutable }: Asset): void {
  app.get(encodeURI(path), { config: { open: true } }, ({ headers }, reply) => {
    const zip = gzipped !== undefined && /\bgzip\b/.test(headers['accept-encoding'] ?? '')
    reply.headers({
      'cache-control': immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
      vary: 'Accept-Encoding',
      ...(zip && { 'content-encoding': 'gzip' }),
    })
    return reply.type(type).send(zip ? gzipped : bytes)
  })
}
