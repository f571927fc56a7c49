import { stringifyYaml } from '@mk/config'
import { describeMethods, type MethodDescription, type ParameterDescription } from '@mk/methods'
import { element, find } from './dom.ts'

const methods = describeMethods()
const dtypes = ['', 'bfloat16', 'float16', 'float32']

/** Makes a recipe out of what is chosen in a form, which is made of what is known of the methods. */
export function showRecipeForm(names: () => readonly string[], onRecipe: (text: string) => void): { draw(): void } {
  const form = find<HTMLFormElement>('recipe-form')
  const select = (id: string, options: readonly string[]) =>
    element(
      'select',
      { id },
      ...options.map((value) => element('option', { value, textContent: value || 'as the models' })),
    )
  const method = select(
    'method',
    methods.map(({ name }) => name),
  )
  const dtype = select('dtype', dtypes)
  const about = element('p', { id: 'about-method' })
  const inputs = element('div')
  form.append(element('label', {}, 'Method', method), about, inputs, element('label', {}, 'Stored as', dtype))
  method.addEventListener('change', draw)
  form.addEventListener('input', write)
  form.addEventListener('submit', (event) => event.preventDefault())

  const chosen = (): MethodDescription => methods.find(({ name }) => name === method.value)!

  function draw(): void {
    const { summary, parameters, base } = chosen()
    about.textContent = summary
    const models = names()
    const wide = parameters.filter(({ scope }) => scope === 'method-wide')
    const perModel = parameters.filter(({ scope }) => scope === 'per model')
    inputs.replaceChildren(
      ...(base === 'none'
        ? []
        : [element('label', {}, 'Base model', select('base', base === 'optional' ? ['', ...models] : models))]),
      ...models.map((model) =>
        element(
          'fieldset',
          { name: 'model' },
          element(
            'legend',
            {},
            element(
              'label',
              {},
              element('input', { type: 'checkbox', checked: true, value: model, name: 'use' }),
              ` ${model}`,
            ),
          ),
          element('div', {}, ...perModel.map(field)),
        ),
      ),
      ...(wide.length === 0
        ? []
        : [
            element(
              'fieldset',
              { name: 'wide' },
              element('legend', {}, 'For all'),
              element('div', {}, ...wide.map(field)),
            ),
          ]),
    )
    write()
  }

  function write(): void {
    const { base: takesBase } = chosen()
    const base = form.querySelector<HTMLSelectElement>('#base')?.value
    const fieldsets = [...form.querySelectorAll<HTMLFieldSetElement>('fieldset[name=model]')]
    const models = fieldsets.flatMap((fieldset) => {
      const use = fieldset.querySelector<HTMLInputElement>('input[name=use]')!
      const parameters = valuesIn(fieldset)
      const isBase = takesBase !== 'none' && use.value === base
      return !use.checked || (isBase && takesBase === 'required')
        ? []
        : [{ model: use.value, ...(Object.keys(parameters).length > 0 && { parameters }) }]
    })
    if (fieldsets.length === 0) return
    const wide = form.querySelector<HTMLFieldSetElement>('fieldset[name=wide]')
    const parameters = wide === null ? {} : valuesIn(wide)
    onRecipe(
      stringifyYaml({
        merge_method: chosen().name,
        ...(base !== undefined && base !== '' && { base_model: base }),
        models,
        ...(Object.keys(parameters).length > 0 && { parameters }),
        ...(dtype.value !== '' && { dtype: dtype.value }),
      }),
    )
  }

  return { draw }
}

function field({ name, type, required, allowed, default: standard, description }: ParameterDescription): HTMLElement {
  const initial = standard ?? (required ? 1 : undefined)
  const title = `${description}${description === '' ? '' : '. '}${allowed}`
  const alternatives = type === 'boolean' ? ['true', 'false'] : type.split(' | ')
  // Beside a number words can be typed.
  const choices = alternatives.length > 1 && !alternatives.includes('number') ? alternatives : undefined
  const input =
    choices === undefined
      ? element('input', { type: 'text', value: initial === undefined ? '' : String(initial), inputMode: 'decimal' })
      : element(
          'select',
          {},
          ...choices.map((value) =>
            element('option', { value, textContent: value, selected: value === String(standard) }),
          ),
        )
  Object.assign(input, { name, title, required })
  input.dataset['standard'] = standard === undefined ? '' : String(standard)
  return element('label', { title }, `${name}${required ? ' *' : ''}`, input)
}

/** What is as it is anyway is not written. */
function valuesIn(fieldset: HTMLFieldSetElement): Record<string, unknown> {
  const inputs = [...fieldset.querySelectorAll<HTMLInputElement | HTMLSelectElement>('[data-standard]')]
  return Object.fromEntries(
    inputs.flatMap(({ name, value, dataset }) =>
      value.trim() === '' || value === dataset['standard'] ? [] : [[name, valueOf(value.trim())]],
    ),
  )
}

/** A number, a list of them (a gradient over the layers), or a word. */
function valueOf(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true'
  const parts = text
    .replaceAll(/[[\]]/g, '')
    .split(',')
    .map((part) => part.trim())
  const numbers = parts.map(Number)
  if (parts.includes('') || numbers.some(Number.isNaN)) return text
  return numbers.length === 1 ? numbers[0] : numbers
}
