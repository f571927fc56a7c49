import type { MergePlan } from '@mk/merge'
import { expect, it } from 'vitest'
import { formatNextSteps } from './next-steps.ts'
import { plainScreen } from './style.ts'

const plan = { documents: [{ name: 'config.json' }], files: [{ name: 'model.safetensors' }] } as unknown as MergePlan

it('says how to load and to upload the model', () => {
  expect(formatNextSteps({ out: './merged', plan }, plainScreen)).toBe(
    'load it (transformers): AutoModelForCausalLM.from_pretrained("./merged")\nupload it: hf upload YOUR_NAME/merged ./merged\n',
  )
})

it('makes a name that the hub takes, and quotes what a shell would take apart', () => {
  expect(formatNextSteps({ out: "my models/it's ü", plan }, plainScreen)).toContain(
    "hf upload YOUR_NAME/it-s 'my models/it'\\''s ü'",
  )
})

it('loads tensors without a config as such', () => {
  expect(formatNextSteps({ out: 'out', plan: { ...plan, documents: [] } }, plainScreen)).toContain(
    'load it (safetensors.torch): load_file("out/model.safetensors")',
  )
})

it('keeps a command whole where it can be copied in parts alone', () => {
  const { style } = plainScreen
  expect(formatNextSteps({ out: '/home/somebody/models/merged', plan }, { width: 40, style })).toContain(
    'upload it:\n  hf upload \\\n    YOUR_NAME/merged \\\n    /home/somebody/models/merged\n',
  )
})
