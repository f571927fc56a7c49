import { defineIssues, quoted, shortened, usage } from '@mk/errors'

/** What keeps a merge from becoming an adapter. */
export const adapterRules = defineIssues({
  'adapter-base': usage<{
    readonly problem: 'none' | 'adapted' | 'merge' | 'gguf' | 'no-config'
    readonly base?: string
  }>(({ problem, base = '' }) => {
    const expected = 'an adapter is for one model, which base_model names: a folder or a hub id, without adapters'
    switch (problem) {
      case 'none':
        return `the recipe has no base_model; ${expected}`
      case 'adapted':
        return `base_model ${quoted(base)} has adapters over it; ${expected}`
      case 'merge':
        return `base_model ${quoted(base)} is a merge, which is in no folder; ${expected}`
      case 'gguf':
        return `base_model ${quoted(base)} is a GGUF; ${expected}, as transformers reads it`
      case 'no-config':
        return `base_model ${quoted(base)} has no config.json; ${expected}, as transformers reads it`
      default:
        return problem satisfies never
    }
  }),
  'adapter-rank-missing': usage<{ readonly tensor: string; readonly reason: string }>(
    ({ tensor, reason }) =>
      `what the merge makes of ${quoted(tensor)} has no rank of its own: ${reason}; expected a rank`,
  ),
  'adapter-empty': usage<{ readonly base: string; readonly whole: readonly string[] }>(({ base, whole }) =>
    whole.length === 0
      ? `the merge changes nothing of ${base}, so that there is nothing for an adapter to hold`
      : `the merge changes no linear layer of ${base}, only ${shortened(whole.map((name) => quoted(name)).join(', '))}: PEFT loads no adapter without factors`,
  ),
  'adapter-setting': usage<{ readonly setting: string; readonly where: string }>(
    ({ setting, where }) => `${where}: ${setting} is about adapters that are written; expected out_format lora`,
  ),
  'adapter-space': usage<{
    readonly space: string
    readonly tensor: string
    readonly problem: 'method' | 'model' | 'ranks'
    /** The method, the model, or the ranks. */
    readonly of: string
  }>(({ space, tensor, problem, of }) => {
    const start = `adapter_space is ${space}, but for ${quoted(tensor)} `
    switch (problem) {
      case 'method':
        return `${start}the method is ${of}; expected a method that merges task vectors, such as ties`
      case 'model':
        return `${start}${of} is not the base with adapters over it; expected base+adapter for every model`
      case 'ranks':
        return `${start}the factors have the ranks ${of}; expected equal ones, or adapter_space products`
      default:
        return problem satisfies never
    }
  }),
})
