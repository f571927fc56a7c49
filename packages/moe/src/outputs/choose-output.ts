import { MoeError } from '../errors.ts'
import { deepseekMoe } from './deepseek.ts'
import { mixtral } from './mixtral.ts'
import type { Candidates, MoeOutput } from './output.ts'
import { qwen2Moe, qwen3Moe } from './qwen.ts'

/** In the order in which they are tried. */
const outputs: readonly MoeOutput[] = [mixtral, deepseekMoe, qwen2Moe, qwen3Moe]

/**
 * Chooses the first output that can be made of the models.
 * @param wanted the beginning of its name, in any case
 * @throws MoeError 'moe-output' with the reason against each
 */
export function chooseOutput(candidates: Candidates, wanted?: string): MoeOutput {
  const asked = wanted?.toLowerCase()
  const named = outputs.filter(({ title }) => asked === undefined || title.toLowerCase().startsWith(asked))
  const chosen = named.find(({ refusal }) => refusal(candidates) === undefined)
  if (chosen !== undefined) return chosen
  const reasons =
    named.length === 0
      ? [{ name: 'expected', token: `the beginning of ${outputs.map(({ title }) => title).join(', ')}` }]
      : named.map(({ title, refusal }) => ({ name: title, token: refusal(candidates)! }))
  throw new MoeError({ code: 'moe-output', reasons, ...(wanted !== undefined && { wanted }) })
}
