import { find } from './dom.ts'
import { EngineError, startEngine } from './engine-client.ts'
import type { HubAddress } from './messages.ts'
import { showMerges } from './merge-view.ts'
import { showModels } from './models-view.ts'
import { showRecipeForm } from './recipe-form.ts'

const engine = startEngine()
const valueOf = (id: string): string => find<HTMLInputElement>(id).value
const hub = (): HubAddress => ({ endpoint: valueOf('endpoint').trim(), token: valueOf('token').trim() })

function showError(error: unknown): void {
  // A picker that was closed, or a merge that was canceled.
  const isCanceled = error instanceof EngineError ? error.code === 'AbortError' : (error as Error).name === 'AbortError'
  find('error').hidden = false
  find('error').textContent = isCanceled ? 'Canceled; nothing was kept.' : (error as Error).message
}

const recipe = find<HTMLTextAreaElement>('recipe')
let isByHand = false
recipe.addEventListener('input', () => (isByHand = true))
find('form-details').addEventListener('input', () => (isByHand = false), { capture: true })
const form = showRecipeForm(
  () => models.names(),
  (text) => {
    if (!isByHand) recipe.value = text
  },
)
const models = showModels(engine, { hub, onChange: form.draw, onError: showError })
form.draw()
showMerges(engine, {
  request: () => ({
    ...hub(),
    recipe: recipe.value,
    name: valueOf('name').trim() || 'merged',
    seed: Number(valueOf('seed')) || 0,
  }),
  onError: showError,
})
