import type { GgufFamily } from '../family.ts'
import { gemma2 } from './gemma2.ts'
import { gemma3 } from './gemma3.ts'
import { llama } from './llama.ts'
import { mistral } from './mistral.ts'
import { mixtral } from './mixtral.ts'
import { phi3 } from './phi3.ts'
import { qwen2 } from './qwen2.ts'
import { qwen2moe } from './qwen2moe.ts'
import { qwen3 } from './qwen3.ts'
import { qwen3moe } from './qwen3moe.ts'

/** All families that have a map. */
export const ggufFamilies: readonly GgufFamily[] = [
  llama,
  mistral,
  qwen2,
  qwen3,
  gemma2,
  gemma3,
  phi3,
  mixtral,
  qwen2moe,
  qwen3moe,
]
