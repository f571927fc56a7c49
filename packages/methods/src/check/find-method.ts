import { nearest } from '@mk/errors'
import { builtinMethods } from '../builtin-methods.ts'
import type { MethodDefinition } from '../declare/define-method.ts'
import { MethodError } from '../errors.ts'
import { methodsCalled } from './method-aliases.ts'

/**
 * Finds a merge method by the name that configurations use.
 * @param methods the built-in ones if absent
 * @param where the name is written, for the message
 * @throws MethodError `unknown-method`, with the nearest spelling, or what the method that goes by that name elsewhere is called here
 */
export function findMethod(
  name: string,
  methods: ReadonlyMap<string, MethodDefinition> = builtinMethods,
  where?: string,
): MethodDefinition {
  const method = methods.get(name)
  if (method !== undefined) return method
  const known = [...methods.keys()]
  const [called, ...others] = methodsCalled(name, known)
  throw new MethodError({
    code: 'unknown-method',
    method: name,
    known,
    ...(called !== undefined && others.length > 0
      ? { alternatives: [called, ...others] }
      : { nearest: called ?? nearest(name, known) }),
    where,
  })
}
