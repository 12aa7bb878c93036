// Small secrets at rest, encrypted with a key that the operating system keeps: Keychain, DPAPI, libsecret or KWallet.
import type { SafeStorage } from 'electron'
import { Failure } from '../../contract/failure.ts'

export interface Secrets {
  /** Text that is safe in a settings file. */
  encrypt(secret: string): Promise<string>
  decrypt(stored: string): Promise<string>
}

export interface SecretsOptions {
  platform: NodeJS.Platform
  /** On a Linux without a keyring, store with a key that anyone can know. Only on the user's word. */
  allowPlainText?: boolean
}

const PREFIX = 'k2-secret:'

/** Use after the app is ready. */
export function createSecrets(storage: SafeStorage, { platform, allowPlainText = false }: SecretsOptions): Secrets {
  if (allowPlainText) storage.setUsePlainTextEncryption(true)

  async function checkStorage(): Promise<void> {
    if (!(await storage.isAsyncEncryptionAvailable()))
      throw new Failure(
        'UNAVAILABLE',
        'The system keeps no secrets for K2: unlock its keyring, or set them as environment.',
      )
    if (platform === 'linux' && !allowPlainText && storage.getSelectedStorageBackend() === 'basic_text')
      throw new Failure(
        'UNAVAILABLE',
        'This system has no keyring (GNOME Keyring or KWallet), so a stored secret could be read by anyone: set it as environment instead.',
      )
  }

  return {
    async encrypt(secret) {
      await checkStorage()
      return PREFIX + (await storage.encryptStringAsync(secret)).toString('base64')
    },
    async decrypt(stored) {
      if (!stored.startsWith(PREFIX)) throw new Failure('INVALID_INPUT', 'That is not a secret that K2 has stored.')
      await checkStorage()
      try {
        return (await storage.decryptStringAsync(Buffer.from(stored.slice(PREFIX.length), 'base64'))).result
      } catch (cause) {
        const message = 'A stored secret cannot be read with the key this system has now: enter it again.'
        throw new Failure('CONFLICT', message, { cause })
      }
    },
  }
}
