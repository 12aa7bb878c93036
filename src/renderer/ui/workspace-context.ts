// How components reach the stores.
import { createContext, useContext } from 'react'
import { useStore } from 'zustand'
import type { Workspace } from '../stores/workspace.ts'
import { zoneOf, type Zone } from './zone-time.ts'

export const WorkspaceContext = createContext<Workspace | null>(null)

export function useWorkspace(): Workspace {
  return useContext(WorkspaceContext)!
}

/** The one zone in which the page shows times. */
export function useZone(): Zone {
  const { settings, focus } = useWorkspace()
  const choice = useStore(settings, ({ zone }) => zone)
  const exchange = useStore(focus, ({ instrument }) => instrument?.exchange)
  return zoneOf(choice, exchange)
}
