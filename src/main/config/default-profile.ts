// The folder each operating system keeps an application's data in.
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

export function defaultProfile(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
  home: string = homedir(),
): string {
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'K2')
  if (platform === 'win32') return join(env.APPDATA || join(home, 'AppData', 'Roaming'), 'K2')
  const data = env.XDG_DATA_HOME
  // By its specification a relative XDG_DATA_HOME is to be ignored.
  return join(data && isAbsolute(data) ? data : join(home, '.local', 'share'), 'k2')
}
