import { arceeFusion } from './arcee-fusion.ts'
import type { MethodDefinition } from './define-method.ts'
import { karcher } from './karcher.ts'
import { linear } from './linear.ts'
import { modelStock } from './model-stock.ts'
import { multislerp } from './multislerp.ts'
import { nearswap } from './nearswap.ts'
import { nuslerp } from './nuslerp.ts'
import { passthrough } from './passthrough.ts'
import { ram, ramPlusTl } from './ram.ts'
import { sce } from './sce.ts'
import { slerp } from './slerp.ts'
import { taskVectorMethods } from './task-vectors.ts'

const methods: readonly MethodDefinition[] = [
  linear,
  slerp,
  passthrough,
  ...taskVectorMethods,
  nuslerp,
  multislerp,
  karcher,
  modelStock,
  sce,
  ram,
  ramPlusTl,
  nearswap,
  arceeFusion,
]

/** Every method of this package by the name that configurations use. */
export const builtinMethods: ReadonlyMap<string, MethodDefinition> = new Map(
  methods.map((method) => [method.name, method]),
)
