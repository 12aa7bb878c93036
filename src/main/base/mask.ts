// Takes secrets out of text that is shown: passwords and tokens inside addresses.
export const MASK = '****'

const USER_INFO = /(\/\/)([^/?#\s"'<>]*)@/g
const SECRET_PARAMETER = /([?&][\w.-]*(?:token|key|secret|password|passwd|signature|credential)[\w.-]*=)[^&#\s"'<>]+/gi

/** Keeps the user's name: it tells which account was meant. */
export function maskSecrets(text: string): string {
  if (!text.includes('//') && !text.includes('=')) return text
  return text
    .replace(USER_INFO, (_, slashes: string, info: string) => {
      const colon = info.indexOf(':')
      return `${slashes}${colon < 0 ? MASK : `${info.slice(0, colon)}:${MASK}`}@`
    })
    .replace(SECRET_PARAMETER, `$1${MASK}`)
}
