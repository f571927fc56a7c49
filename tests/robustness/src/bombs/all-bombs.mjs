import { adapterBombs } from './adapter-bombs.mjs'
import { fileBombs } from './file-bombs.mjs'
import { ggufBombs } from './gguf-bombs.mjs'
import { modelBombs } from './model-bombs.mjs'
import { pickleBombs } from './pickle-bombs.mjs'
import { recipeBombs } from './recipe-bombs.mjs'
import { safetensorsBombs } from './safetensors-bombs.mjs'
import { tokenizerBombs } from './tokenizer-bombs.mjs'

/** Every bomb by its name. @type {ReadonlyMap<string, import('./run-bomb.mjs').Bomb>} */
export const bombs = new Map(
  [safetensorsBombs, ggufBombs, modelBombs, recipeBombs, tokenizerBombs, pickleBombs, adapterBombs, fileBombs]
    .flat()
    .map((bomb) => [bomb.name, bomb]),
)
