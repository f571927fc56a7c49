import { describe, expect, it } from 'vitest'
import { architectureName, compareArchitectures } from './index.ts'

const llama = { architectures: ['LlamaForCausalLM'], model_type: 'llama' }

describe('compareArchitectures', () => {
  it('finds no difference among equal ones, nor with what says nothing', () => {
    expect(compareArchitectures([llama, { ...llama }, undefined, {}])).toEqual([])
    expect(compareArchitectures([])).toEqual([])
  })

  it('names those that differ from the first', () => {
    expect(compareArchitectures([undefined, llama, { architectures: ['MistralForCausalLM'] }])).toEqual([
      { index: 2, architecture: 'MistralForCausalLM', expected: 'LlamaForCausalLM' },
    ])
  })

  it('goes by model_type where no class is named', () => {
    expect(architectureName({ architectures: null, model_type: 'gpt2' })).toBe('gpt2')
  })
})
