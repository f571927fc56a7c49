import { CheckpointError } from '../errors.ts'

const longestPattern = 256
const mostRepetitions = 3

/**
 * Creates what tells whether a module is meant by a key of `rank_pattern` or `alpha_pattern`: PEFT matches the key, an expression, against
 * the end of the module's name, from its start or after a dot. The expression comes with the adapter, so one that could
 * take long to match is refused.
 * @throws `adapter-pattern`
 */
export function createModulePattern(pattern: string, file: string): (module: string) => boolean {
  const refuse = (cause?: unknown): never => {
    throw new CheckpointError({ code: 'adapter-pattern', file, pattern: pattern.slice(0, longestPattern) }, { cause })
  }
  if (/^[\w.-]+$/.test(pattern)) return (module) => module === pattern || module.endsWith(`.${pattern}`)
  const bare = pattern.replace(/\[(?:\\.|[^\]\\])*\]/g, 'x').replace(/\\[^1-9]/g, 'x')
  const repetitions = bare.match(/[*+{]/g)?.length ?? 0
  if (pattern.length > longestPattern || repetitions > mostRepetitions || /\)[*+?{]|\\|\(\?[^:]/.test(bare))
    return refuse()
  try {
    const expression = new RegExp(`^(?:.*\\.)?(?:${pattern})$`)
    return (module) => expression.test(module)
  } catch (cause) {
    return refuse(cause)
  }
}
