import { element, find, formatBytes } from './dom.ts'
import { chosenFiles, droppedFiles, modelsOf, type PathedFiles } from './dropped-files.ts'
import type { Engine } from './engine-client.ts'
import type { HubAddress, ModelFacts, TensorFacts } from './messages.ts'

/** Rows of the table that are made at once; a filter finds the others. */
const mostRows = 500

export interface ModelsView {
  /** As recipes name them. */
  names(): readonly string[]
}

/** Lets models be opened, lists them, and shows the tensors of one. */
export function showModels(
  engine: Engine,
  { hub, onChange, onError }: { hub: () => HubAddress; onChange: () => void; onError: (error: unknown) => void },
): ModelsView {
  const models = new Map<string, ModelFacts>()
  let shown: string | undefined

  async function addFiles(files: PathedFiles): Promise<void> {
    await engine.add(files)
    for (const name of modelsOf(files)) await open(name)
  }

  async function open(name: string): Promise<void> {
    try {
      models.set(name, await engine.inspect({ model: name, ...hub() }))
      shown = name
    } catch (error) {
      onError(error)
    }
    draw()
    onChange()
  }

  function draw(): void {
    find('models').replaceChildren(
      ...Array.from(models, ([name, { tensors, architecture }]) => {
        const byteCount = tensors.reduce((sum, tensor) => sum + tensor.byteCount, 0)
        const select = element('button', { type: 'button', textContent: name })
        select.setAttribute('aria-pressed', String(name === shown))
        select.addEventListener('click', () => {
          shown = name
          draw()
        })
        const remove = element('button', { type: 'button', textContent: '✕', title: `Remove ${name}` })
        remove.setAttribute('aria-label', `Remove ${name}`)
        remove.addEventListener('click', async () => {
          await engine.remove(name)
          models.delete(name)
          if (shown === name) shown = undefined
          draw()
          onChange()
        })
        const facts = `${tensors.length} tensors, ${formatBytes(byteCount)}${architecture === undefined ? '' : `, ${architecture}`}`
        return element('li', {}, select, element('span', { className: 'facts', textContent: facts }), remove)
      }),
    )
    drawTensors()
  }

  function drawTensors(): void {
    const facts = shown === undefined ? undefined : models.get(shown)
    find('tensors').hidden = facts === undefined
    if (facts === undefined) return
    const found = filterTensors(facts.tensors, find<HTMLInputElement>('filter').value)
    const rows = found.slice(0, mostRows)
    find('tensor-count').textContent =
      `${found.length} of ${facts.tensors.length} tensors of ${shown}${rows.length < found.length ? `; the first ${rows.length} are shown` : ''}`
    find('tensor-rows').replaceChildren(
      ...rows.map(({ name, shape, dtype, byteCount }) =>
        element(
          'tr',
          {},
          element('td', { textContent: name }),
          element('td', { textContent: shape.join(' × ') }),
          element('td', { textContent: dtype }),
          element('td', { className: 'number', textContent: formatBytes(byteCount) }),
        ),
      ),
    )
  }

  const drop = find('drop')
  const highlight = (event: DragEvent, isOver: boolean) => {
    event.preventDefault()
    drop.classList.toggle('over', isOver)
  }
  drop.addEventListener('dragover', (event) => highlight(event, true))
  drop.addEventListener('dragleave', (event) => highlight(event, false))
  drop.addEventListener('drop', (event) => {
    highlight(event, false)
    droppedFiles(event.dataTransfer!).then(addFiles).catch(onError)
  })
  for (const id of ['choose-folder', 'choose-files']) {
    const input = find<HTMLInputElement>(id)
    input.addEventListener('change', () => {
      addFiles(chosenFiles(input.files!)).catch(onError)
      // So that the same can be chosen again.
      input.value = ''
    })
  }
  find('hub').addEventListener('submit', (event) => {
    event.preventDefault()
    const id = find<HTMLInputElement>('hub-id').value.trim()
    if (id !== '') void open(id)
  })
  find('filter').addEventListener('input', drawTensors)
  return { names: () => [...models.keys()] }
}

/** Finds the tensors whose names have a text, or match it as a regular expression where it is one. */
function filterTensors(tensors: readonly TensorFacts[], text: string): readonly TensorFacts[] {
  if (text === '') return tensors
  let pattern: RegExp | undefined
  try {
    pattern = new RegExp(text)
  } catch {
    // It is still being written.
  }
  return tensors.filter(({ name }) => name.includes(text) || pattern?.test(name))
}
