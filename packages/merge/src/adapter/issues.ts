import { defineIssues, quoted, shortened, usage } from '@mk/errors'

const baseProblems = {
  none: 'has no base_model',
  adapted: 'has adapters over it',
  merge: 'is a merge, which is in no folder',
  gguf: 'is a GGUF',
  'no-config': 'has no config.json',
} as const

const spaceProblems = {
  method: 'the method is',
  model: 'one of the models is',
  ranks: 'the factors have the ranks',
} as const
const expectedOfSpace = {
  method: 'a method that merges task vectors, such as ties',
  model: 'the base with adapters over it, for every model',
  ranks: 'equal ones, or adapter_space products',
} as const

/** What keeps a merge from becoming an adapter. */
export const adapterRules = defineIssues({
  'adapter-base': usage<{
    readonly problem: keyof typeof baseProblems
    readonly base?: string
  }>(
    ({ problem, base }) =>
      `${base === undefined ? 'the recipe' : `base_model ${quoted(base)}`} ${baseProblems[problem] ?? problem}; expected a base_model that the adapter is for: a folder or a hub id as transformers reads it, without adapters`,
  ),
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
    readonly problem: keyof typeof spaceProblems
    /** The method, the model, or the ranks. */
    readonly of: string
  }>(
    ({ space, tensor, problem, of }) =>
      `adapter_space is ${space}, but for ${quoted(tensor)} ${spaceProblems[problem] ?? problem} ${of}; expected ${expectedOfSpace[problem] ?? 'another'}`,
  ),
})
