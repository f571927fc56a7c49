import { expect, test } from 'vitest'
import { adapterBombs } from './adapter-bombs.mjs'
import { fileBombs } from './file-bombs.mjs'
import { bombs } from './all-bombs.mjs'
import { ggufBombs } from './gguf-bombs.mjs'
import { modelBombs } from './model-bombs.mjs'
import { pickleBombs } from './pickle-bombs.mjs'
import { recipeBombs } from './recipe-bombs.mjs'
import { safetensorsBombs } from './safetensors-bombs.mjs'
import { tokenizerBombs } from './tokenizer-bombs.mjs'

test('no two bombs have one name', () => {
  const lists = [
    safetensorsBombs,
    ggufBombs,
    modelBombs,
    recipeBombs,
    tokenizerBombs,
    pickleBombs,
    adapterBombs,
    fileBombs,
  ]
  expect(bombs.size).toBe(lists.reduce((sum, list) => sum + list.length, 0))
})
