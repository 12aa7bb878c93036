// The profile folder: where it is, that it can be used, and that one running instance holds it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { defaultProfile } from '../../../src/main/config/default-profile.ts'
import { openProfile, readInstance } from '../../../src/main/config/profile.ts'
import { noteOwnProcess } from '../../../src/main/base/running.ts'
import { makeTempFolder } from '../../support/temp-folder.ts'

/** A K2-like process that holds a profile until it is killed. */
async function holdElsewhere(folder: string, url?: string) {
  const script = `
    import { openProfile } from ${JSON.stringify(resolve('src/main/config/profile.ts'))}
    try {
      const profile = openProfile(${JSON.stringify(folder)})
      ${url ? `profile.writeInstance({ url: ${JSON.stringify(url)} })` : ''}
      process.stdout.write('held')
      setInterval(() => {}, 1000)
    } catch (error) {
      process.stdout.write(error.code)
    }`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await gone
  })
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    pid: child.pid!,
    said: String(said),
    kill: async () => {
      child.kill('SIGKILL')
      await gone
    },
  }
}

describe('the default folder', () => {
  it.each([
    ['linux', {}, '/home/ann/.local/share/k2'],
    ['linux', { XDG_DATA_HOME: '/data' }, '/data/k2'],
    ['linux', { XDG_DATA_HOME: 'relative' }, '/home/ann/.local/share/k2'],
    ['darwin', {}, '/home/ann/Library/Application Support/K2'],
    ['win32', { APPDATA: '/roaming' }, '/roaming/K2'],
  ])('on %s with %j is %s', (platform, env, folder) => {
    expect(defaultProfile(env, platform, '/home/ann')).toBe(folder)
  })
})

describe('opening', () => {
  it('creates the folder for its owner only', () => {
    const folder = join(makeTempFolder(), 'deep', 'profile')
    const profile = openProfile(folder)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder, 'k2.lock')).mode & 0o777).toBe(0o600)
    profile.close()
    expect(readdirSync(folder)).toEqual([])
  })

  it('refuses a folder that cannot be written, naming it and the way out', () => {
    const file = join(makeTempFolder(), 'file')
    writeFileSync(file, '')
    const folder = join(file, 'profile')
    expect(() => openProfile(folder)).toThrow(
      `K2 cannot write to its profile ${folder} (ENOTDIR): make it writable, or choose another with --profile or K2_PROFILE.`,
    )
  })
})

describe('the running instance', () => {
  it.runIf(process.platform === 'linux')('refuses at once a place that can have no folder', () => {
    expect(() => openProfile('/proc/k2/profile')).toThrow(/cannot write to its profile \/proc\/k2\/profile/)
  })

  it('is found by its address while it runs, and not after', () => {
    const folder = makeTempFolder()
    expect(readInstance(folder)).toBeUndefined()
    const profile = openProfile(folder)
    expect(readInstance(folder)).toEqual(noteOwnProcess())
    profile.writeInstance({ url: 'http://127.0.0.1:8000' })
    expect(readInstance(folder)).toMatchObject({ pid: process.pid, url: 'http://127.0.0.1:8000' })
    profile.close()
    profile.close()
    expect(readInstance(folder)).toBeUndefined()
  })

  it('is alone: a second one in the same process is refused', () => {
    const folder = makeTempFolder()
    const profile = openProfile(folder)
    expect(() => openProfile(folder)).toThrow(/already runs on this profile/)
    profile.close()
    openProfile(folder).close()
  })

  it('is alone: a second process is refused with its number, its address and the way out', async () => {
    const folder = makeTempFolder()
    const { pid } = await holdElsewhere(folder, 'http://127.0.0.1:8123')
    expect(readInstance(folder)).toMatchObject({ pid, url: 'http://127.0.0.1:8123' })
    expect(() => openProfile(folder)).toThrow(
      expect.objectContaining({
        code: 'CONFLICT',
        details: { pid, url: 'http://127.0.0.1:8123' },
        message: `K2 already runs on this profile (process ${pid}, at http://127.0.0.1:8123): use it with --connect http://127.0.0.1:8123, stop it, or choose another with --profile. Lock: ${join(folder, 'k2.lock')}`,
      }) as Error,
    )
  })

  it('leaves a lock that the next one takes over when it was killed', async () => {
    const folder = makeTempFolder()
    const holder = await holdElsewhere(folder)
    await holder.kill()
    expect(existsSync(join(folder, 'k2.lock'))).toBe(true)
    expect(readInstance(folder)).toBeUndefined()
    const profile = openProfile(folder)
    expect(readInstance(folder)?.pid).toBe(process.pid)
    profile.close()
  })

  it.each([
    ['a process number that another process has by now', { ...noteOwnProcess(), mark: 'another boot:1' }],
    ['this very number from before a restart', { pid: process.pid, startedAt: '2026-01-01T00:00:00.000Z' }],
    ['a process from before the machine started', { pid: 1, startedAt: '1999-01-01T00:00:00.000Z' }],
    ['nothing readable', 'half a'],
  ])('takes over a lock that holds %s', (_, content) => {
    const folder = makeTempFolder()
    writeFileSync(join(folder, 'k2.lock'), typeof content === 'string' ? content : JSON.stringify(content))
    const profile = openProfile(folder)
    expect(readInstance(folder)?.startedAt).toBe(noteOwnProcess().startedAt)
    profile.close()
    expect(readdirSync(folder)).toEqual([])
  })

  it('is one of several that start at once on a lock left behind', async () => {
    const folder = makeTempFolder()
    writeFileSync(join(folder, 'k2.lock'), JSON.stringify({ pid: 1, startedAt: '1999-01-01T00:00:00.000Z' }))
    const starts = await Promise.all([1, 2, 3].map(() => holdElsewhere(folder)))
    expect(starts.map(({ said }) => said).sort()).toEqual(['CONFLICT', 'CONFLICT', 'held'])
    const holder = starts.find(({ said }) => said === 'held')!
    expect(JSON.parse(readFileSync(join(folder, 'k2.lock'), 'utf8'))).toMatchObject({ pid: holder.pid })
  })

  it('does not remove the lock of one that has taken over', () => {
    const folder = makeTempFolder()
    const profile = openProfile(folder)
    const other = JSON.stringify({ pid: process.ppid, startedAt: new Date().toISOString() })
    writeFileSync(join(folder, 'k2.lock'), other)
    profile.close()
    expect(readFileSync(join(folder, 'k2.lock'), 'utf8')).toBe(other)
  })
})
