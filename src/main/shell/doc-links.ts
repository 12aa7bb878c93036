// The documentation K2 refers to: the Help menu's entries, and the only addresses a page may have opened in the OS's browser.
export const docLinks = [
  { label: 'SQL Reference', url: 'https://duckdb.org/docs/stable/sql/introduction' },
  { label: 'Iceberg Table Format', url: 'https://iceberg.apache.org/spec/' },
] as const

/** The address as it may be opened: https, without credentials, and below one of ours; undefined for any other. */
export function docLink(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined
  const { protocol, username, password, href, origin, pathname } = new URL(url)
  if (protocol !== 'https:' || username || password) return undefined
  const known = docLinks.some(link => {
    const ours = new URL(link.url)
    return (
      origin === ours.origin && (pathname === ours.pathname || pathname.startsWith(ours.pathname.replace(/\/?$/, '/')))
    )
  })
  return known ? href : undefined
}
