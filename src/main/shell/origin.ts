// Which pages are ours: the origin of the window's page, and the one test every guard asks.
export const SCHEME = 'app'
export const ORIGIN = `${SCHEME}://k2`

/** The renderer's origin: its build over `app://`, or while developing the dev server on this machine. */
export function rendererOrigin(packaged: boolean, devUrl: string | undefined): string {
  if (packaged || !devUrl) return ORIGIN
  const { protocol, hostname } = new URL(devUrl)
  const local = protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
  return local ? originOf(devUrl) : ORIGIN
}

export function isOwn(url: string, origin: string): boolean {
  return originOf(url) === origin
}

/** What a page's session may load: itself, what it made itself, its dev server's socket, the inspector. Never the network. */
export function mayLoad(url: string, origin: string): boolean {
  if (isOwn(url, origin) || /^(data|blob|devtools):/.test(url)) return true
  return origin !== ORIGIN && originOf(url) === origin.replace(/^http/, 'ws')
}

// Not URL's own `origin`: for a scheme it does not know that is "null" for every page.
function originOf(url: string): string {
  if (!URL.canParse(url)) return ''
  const { protocol, host } = new URL(url)
  return `${protocol}//${host}`
}
