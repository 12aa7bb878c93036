// Secrets at rest: what is stored, and when K2 refuses to.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { SafeStorage } from 'electron'
import { expect, it } from 'vitest'
import { createSecrets } from '../../../src/main/shell/secrets.ts'

/** A keyring with a key in memory instead of the operating system's. */
function newStorage({ available = true, backend = 'gnome_libsecret' } = {}) {
  const key = randomBytes(32)
  const asked = { plainText: false }
  const storage = {
    isAsyncEncryptionAvailable: () => Promise.resolve(available),
    getSelectedStorageBackend: () => backend,
    setUsePlainTextEncryption: (on: boolean) => (asked.plainText = on),
    encryptStringAsync(text: string) {
      const iv = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, iv)
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Promise.resolve(Buffer.concat([iv, cipher.getAuthTag(), sealed]))
    },
    async decryptStringAsync(bytes: Buffer) {
      const cipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
      cipher.setAuthTag(bytes.subarray(12, 28))
      const result = Buffer.concat([cipher.update(bytes.subarray(28)), cipher.final()]).toString('utf8')
      return { result, shouldReEncrypt: false }
    },
  }
  return { storage: storage as unknown as SafeStorage, asked }
}

it('gives back what it stored, as text that does not show it', async () => {
  const secrets = createSecrets(newStorage().storage, { platform: 'linux' })
  const stored = await secrets.encrypt('pässword')
  expect(stored).toMatch(/^k2-secret:[A-Za-z0-9+/=]+$/)
  expect(Buffer.from(stored.slice(10), 'base64').toString('latin1')).not.toContain('ssword')
  expect(await secrets.decrypt(stored)).toBe('pässword')
})

it('refuses a Linux without a keyring, where anyone could read what is stored, unless told', async () => {
  const { storage, asked } = newStorage({ backend: 'basic_text' })
  const refused = { code: 'UNAVAILABLE', message: expect.stringContaining('no keyring') as string }
  await expect(createSecrets(storage, { platform: 'linux' }).encrypt('x')).rejects.toMatchObject(refused)
  await expect(createSecrets(storage, { platform: 'linux' }).decrypt('k2-secret:AAAA')).rejects.toMatchObject(refused)
  expect(asked.plainText).toBe(false)

  const told = createSecrets(storage, { platform: 'linux', allowPlainText: true })
  expect(await told.decrypt(await told.encrypt('x'))).toBe('x')
  expect(asked.plainText).toBe(true)
})

it('says that the keyring is locked instead of storing in the open', async () => {
  const { storage } = newStorage({ available: false })
  await expect(createSecrets(storage, { platform: 'darwin' }).encrypt('x')).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  })
})

it('tells a secret of another key from text that is no secret', async () => {
  const stored = await createSecrets(newStorage().storage, { platform: 'win32' }).encrypt('x')
  const other = createSecrets(newStorage().storage, { platform: 'win32' })
  await expect(other.decrypt(stored)).rejects.toMatchObject({ code: 'CONFLICT' })
  await expect(other.decrypt('x')).rejects.toMatchObject({ code: 'INVALID_INPUT' })
})
