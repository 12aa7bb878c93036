// Words of the commands that stay: refused before anything is started.
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { addServing } from '../../../src/main/commands/serving.ts'

describe.each(['serve', 'app', 'demo'])('k2 %s', name => {
  it.each([
    [['--rate', '0'], "'--rate <n>' argument '0' is invalid. It must be at least 1."],
    [['--rate', '200001'], 'It must be at most 200000.'],
    [['--rate', '1.5'], 'It must be a whole number.'],
    [['--rate', 'many'], 'Give a number.'],
    [['--speed', '0'], 'It must be at least 0.1.'],
    [['--seed=-1'], 'It must be at least 0.'],
  ])('refuses %j at once', async (words, why) => {
    const program = new Command()
    const said: string[] = []
    addServing(program)
    for (const command of program.commands) {
      command.exitOverride().configureOutput({ writeErr: text => said.push(text) })
      command.action(() => {
        throw new Error('It was started.')
      })
    }
    await expect(program.parseAsync([name, ...words], { from: 'user' })).rejects.toThrow(/is invalid/)
    expect(said.join('')).toContain(why)
  })
})
