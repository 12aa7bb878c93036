// The page's Content-Security-Policy, the same in the window and in the browser: what is not named here does not run or load.

/** `nonce` is new with every page; `connect` are the sources the page may fetch from or open a WebSocket to. */
export function contentSecurityPolicy(nonce: string, connect: readonly string[]): string {
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    `style-src 'self' 'nonce-${nonce}'`,
    `connect-src ${connect.length > 0 ? connect.join(' ') : "'none'"}`,
    "img-src 'self' data:",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
  ].join('; ')
}
