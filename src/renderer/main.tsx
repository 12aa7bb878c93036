// Opens the workspace and shows it.
import { createRoot } from 'react-dom/client'
import { openPort } from './client.ts'
import { App } from './app.tsx'
import type { Settings } from './stores/settings.ts'
import { openWorkspace } from './stores/workspace.ts'
import './ui/tokens.css'
import './ui/page.css'
import './ui/panes.css'
import './ui/states.css'
import './ui/controls.css'
import './ui/popovers.css'
import './ui/rows.css'

const workspace = openWorkspace(openPort, localStorage)

function applySettings({ theme, rising, density }: Settings): void {
  Object.assign(document.documentElement.dataset, { theme, rising, density })
}
applySettings(workspace.settings.getState())
workspace.settings.subscribe(applySettings)

createRoot(document.getElementById('root')!).render(<App workspace={workspace} />)
