// The page of the shell's smoke test: the renderer's door and the contract's client, within reach of the test.
import type { Client } from '../../src/contract/capability.ts'
import { connectClient } from '../../src/contract/client.ts'
import { openPort } from '../../src/renderer/client.ts'
import { shellContract } from './shell-contract.ts'

declare global {
  interface Window {
    k2: { client: Client<typeof shellContract>; closed: Promise<true> }
    connect: () => Promise<void>
    /** What the page's policy blocked. */
    blocked: string[]
    pwned?: boolean
  }
}

window.connect = async () => {
  const port = await openPort()
  const closed = new Promise<true>(resolve => port.onClose(() => resolve(true)))
  window.k2 = { client: connectClient(shellContract, port), closed }
}
window.blocked = []
document.addEventListener('securitypolicyviolation', event => window.blocked.push(event.effectiveDirective))
void window.connect()
