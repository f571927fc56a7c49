import type { MethodDefinition } from './declare/define-method.ts'
import { ace } from './methods/ace.ts'
import { arceeFusion } from './methods/arcee-fusion.ts'
import { breadcrumbsTies } from './methods/breadcrumbs-ties.ts'
import { breadcrumbs } from './methods/breadcrumbs.ts'
import { consensusTa } from './methods/consensus-ta.ts'
import { dareLinear } from './methods/dare-linear.ts'
import { dareTies } from './methods/dare-ties.ts'
import { dellaLinear } from './methods/della-linear.ts'
import { della } from './methods/della.ts'
import { emr } from './methods/emr.ts'
import { isoC } from './methods/iso-c.ts'
import { fisher } from './methods/fisher.ts'
import { karcher } from './methods/karcher.ts'
import { linear } from './methods/linear.ts'
import { maskedTaskArithmetic } from './methods/masked-task-arithmetic.ts'
import { modelStock } from './methods/model-stock.ts'
import { multislerp } from './methods/multislerp.ts'
import { nearswap } from './methods/nearswap.ts'
import { nuslerp } from './methods/nuslerp.ts'
import { passthrough } from './methods/passthrough.ts'
import { ram } from './methods/ram.ts'
import { ramPlusTl } from './methods/ramplus-tl.ts'
import { regmean } from './methods/regmean.ts'
import { sce } from './methods/sce.ts'
import { slerp } from './methods/slerp.ts'
import { taskArithmetic } from './methods/task-arithmetic.ts'
import { ties } from './methods/ties.ts'
import { tsvM } from './methods/tsv-m.ts'

const methods: readonly MethodDefinition[] = [
  linear,
  slerp,
  passthrough,
  fisher,
  taskArithmetic,
  ties,
  dareLinear,
  dareTies,
  della,
  dellaLinear,
  breadcrumbs,
  breadcrumbsTies,
  consensusTa,
  emr,
  maskedTaskArithmetic,
  nuslerp,
  multislerp,
  karcher,
  modelStock,
  sce,
  ram,
  ramPlusTl,
  nearswap,
  arceeFusion,
  isoC,
  tsvM,
  ace,
  regmean,
]

/** Every method of this package by the name that configurations use. */
export const builtinMethods: ReadonlyMap<string, MethodDefinition> = new Map(
  methods.map((method) => [method.name, method]),
)
