import { expect, test } from 'vitest'
import { type MergeNote, NoteList } from './notes.ts'

const textOf = (note: MergeNote) => {
  const notes = new NoteList()
  notes.add(note)
  return notes.texts()
}
const tensors = { one: ['x.weight'], more: ['x.weight', 'y.weight'] }

test.each<[MergeNote, string]>([
  [
    { code: 'text-part-lacks', names: tensors.one, from: 'a', models: 'b' },
    'x.weight: taken from a, since b as a text model lacks it',
  ],
  [
    { code: 'text-part-lacks', names: tensors.more, from: 'a', models: 'b' },
    'x.weight, y.weight: taken from a, since b as a text model lacks them',
  ],
  [{ code: 'copied-from-one', names: tensors.one, from: 'a' }, 'x.weight: only a has it, so copied from there'],
  [
    { code: 'copied-from-one', names: tensors.more, from: 'a' },
    'x.weight, y.weight: only a has them, so copied from there',
  ],
  [
    { code: 'missing-from-base', names: tensors.one, from: 'a', models: 'b' },
    "x.weight: taken from a, since b lacks it and the recipe says 'missing: base'",
  ],
  [
    { code: 'missing-from-base', names: tensors.more, from: 'a', models: 'b' },
    "x.weight, y.weight: taken from a, since b lacks them and the recipe says 'missing: base'",
  ],
  [
    { code: 'missing-left-out', names: tensors.one, models: 'b' },
    "x.weight: left out, since b lacks it and the recipe has 'missing'",
  ],
  [
    { code: 'missing-left-out', names: tensors.more, models: 'b' },
    "x.weight, y.weight: left out, since b lacks them and the recipe has 'missing'",
  ],
  [
    { code: 'text-part', text: 'a', whole: 'b', isDonor: false },
    'a is a text model with the layers of the language part of b: only that part is merged',
  ],
  [
    { code: 'text-part', text: 'a', whole: 'b', isDonor: true },
    'a is a text model with the layers of the language part of b: only that part is merged, and what a lacks is taken from b',
  ],
  [{ code: 'layers-not-used', model: 'a', layers: [3], module: '' }, 'a: layer 3 not used'],
  [{ code: 'layers-not-used', model: 'a', layers: [0, 1, 2], module: 'text' }, 'a: layers 0–2 of text not used'],
  [
    { code: 'nothing-used', model: 'a', isDonor: true },
    'a only gives its config and tokenizer: none of its tensors is in the output',
  ],
  [
    { code: 'nothing-used', model: 'a', isDonor: false },
    'a is not merged, its tokenizer may be used: none of its tensors is in the output',
  ],
  [
    { code: 'cut-to-common', name: 'x', model: 'a', shape: [4, 2], common: [3, 2] },
    'x of a is cut from [4, 2] to [3, 2], which all models have',
  ],
  [
    { code: 'rows-completed', name: 'x', model: 'a', donor: 'b', rows: [4, 5] },
    'x of a: rows 4 to 5, which a as a text model lacks, are taken from b',
  ],
  [
    { code: 'settings-differ', key: 'k', donor: 'a', value: '1', other: '2', models: ['b', 'c'] },
    'config.json: k is 1 in a, which the output has, and 2 in b, c; tensors of both kinds mean something else',
  ],
  [
    { code: 'head-not-written', model: 'a', names: tensors.one },
    "a: x.weight is the same as its embedding, to which the output's head is tied; not written",
  ],
])('%j', (note, text) => {
  expect(textOf(note)).toEqual([text])
})

test('a note that comes up again is told once, where it came up first', () => {
  const notes = new NoteList()
  for (const text of ['first', 'second', 'first']) notes.add({ code: 'of-config', text })
  expect(notes.texts()).toEqual(['first', 'second'])
})
