// The words behind the program's name as flags, when Electron was started instead of the command line.

/** `--name value`, `--name=value`, or `--name` alone for true; names in camel case. Chromium's own switches come along. */
export function launchFlags(argv: readonly string[]): Record<string, string | true> {
  const flags: Record<string, string | true> = {}
  argv.forEach((word, i) => {
    const [, name, value] = /^--([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(word) ?? []
    if (!name) return
    const next = argv[i + 1] as string | undefined
    flags[camelCase(name)] = value ?? (next === undefined || next.startsWith('-') ? true : next)
  })
  return flags
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}
