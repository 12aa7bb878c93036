// The app:// protocol: what it may do, and who answers it.
import { protocol } from 'electron'
import { SCHEME } from './origin.ts'
import { serveRenderer } from './serve-renderer.ts'

/** Before the app is ready. A standard, secure scheme has an origin of its own and so keeps storage, CORS and CSP like https. */
export function declareScheme(): void {
  const privileges = { standard: true, secure: true, supportFetchAPI: true, codeCache: true }
  protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges }])
}

export function serveScheme(rendererFolder: string): void {
  protocol.handle(SCHEME, serveRenderer(rendererFolder))
}
