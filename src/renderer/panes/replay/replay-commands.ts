// What one can do with a replay, for the palette and the keys.
import type { Workspace } from '../../stores/workspace.ts'
import type { Command } from '../../ui/commands.ts'

export function replayCommands(workspace: Workspace): Command[] {
  void workspace
  return []
}
