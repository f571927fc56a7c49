import { expect, it } from 'vitest'
import { readModelArgument } from './model-argument.ts'

it.each(['', ' '])("refuses '%s', as a variable gives that isn't set", async (text) => {
  await expect(readModelArgument(text)).rejects.toMatchObject({ code: 'model-unnamed', fault: 'usage' })
})

it.each(['org/name', 'org/name@main+adapter'])('leaves %s to the recipe', async (text) => {
  expect(await readModelArgument(text)).toBe(text)
})
