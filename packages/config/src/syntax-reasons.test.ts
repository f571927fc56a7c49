import { describe, expect, it } from 'vitest'
import { faultsOf } from './__fixtures__/failures.ts'
import { parseConfig } from './parse-config.ts'

const head = 'merge_method: linear\n'

describe('says what is meant, where', () => {
  it.each([
    ['a second colon', `${head}models:\n- model: a: b\n`, '3:10: ', 'there is a second colon on the line'],
    ['several settings on a line', 'weight: 0.5, density: 0.3\n', '1:9: ', 'second colon'],
    ['no space after a colon', 'merge_method:linear\nmodels: []\n', '1:1: ', `write 'merge_method: linear'`],
    ['no space in a list', `${head}models:\n- model:a\n  parameters: {weight: 1}\n`, '3:3: ', `write 'model: a'`],
    ['no space in the last line', `${head}parameters:\n  t: 1\n  weight:1\n`, '4:3: ', `write 'weight: 1'`],
    ['no space in braces', `${head}models: [{model: a, parameters: {weight:1}}]`, '2:34: ', `'weight: 1'`],
    ['no space after a dash', `${head}models:\n-model: a\n`, '3:1: ', 'a space is missing after the dash'],
    ['an equals sign', 'merge_method = linear\nmodels: []\n', '1:1: ', `not 'key = value'`],
    ['a tab', `${head}models:\n\t- model: a\n`, '3:1: ', 'indent with spaces'],
    ['an open double quote', `${head}dtype: "float16\nmodels: []\n`, '2:8: ', 'never closed'],
    ['an open single quote', `${head}dtype: 'float16\nmodels: []\n`, '2:8: ', 'never closed'],
    ['text after a quote', `${head}dtype: "float16" x\n`, '2:18: ', 'nothing may follow'],
    ['an open bracket', `${head}models: [a, b\ndtype: x\n`, '3:1: ', 'the [ before this is not closed'],
    ['an open brace', `${head}parameters: {t: 1\ndtype: x\n`, '3:1: ', 'the { before this is not closed'],
    ['one bracket too many', `${head}models: [a]]\n`, '2:12: ', 'the ] closes nothing'],
    ['a line too far right', `${head}  dtype: float16\n`, '2:3: ', 'indented further'],
    ['a line too far left', `models:\n  - model: a\n parameters: 1\n`, '3:1: ', 'begins in another column'],
    ['a list with another indentation', `models:\n  - model: a\n   - model: b\n`, '3:', ''],
    ['a reserved letter', `${head}base_model: @x\n`, '2:13: ', 'a value that begins with @ stands in quotes'],
    ['a percent sign', `${head}base_model: %x\n`, '2:13: ', 'a value that begins with % stands in quotes'],
    ['a lone star', `${head}base_model: *\n`, '2:13: ', 'a text that begins with * stands in quotes'],
    ['a missing comma', '{merge_method: linear models: []}', '1:', 'a comma is missing'],
    ['a forgotten models:', `${head}- model: a\n- model: b\n`, '2:1: ', `write 'models:' on a line before it`],
    ['a forgotten models:, indented', `${head}  - model: a\n`, '2:3: ', `write 'models:' on a line before it`],
    ['a forgotten models:, first', `- model: a\n- model: b\n${head}`, '1:1: ', `write 'models:' on a line before it`],
    ['a forgotten slices:', `${head}- sources:\n  - model: a\n`, '2:1: ', `write 'slices:' on a line before it`],
    [
      'a pointer',
      'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n',
      '1:1: ',
      'a Git LFS pointer',
    ],
    ['another encoding', 'm\0e\0r\0g\0e\0', '1:1: ', 'the file is UTF-16, expected UTF-8'],
    ['another encoding, high bytes first', '\0m\0e\0r\0g\0e', '1:1: ', 'the file is UTF-16, expected UTF-8'],
    ['bytes that are no text', '\0\u0001\0\u0002', '1:1: ', 'the file is no text: there are zero bytes in it'],
    ['bytes that are no text, later', `\u0001\0\0`, '1:1: ', 'the file is no text: there are zero bytes in it'],
    ['a web page', '<!DOCTYPE html>\n<html>\n', '1:1: ', 'a web page (HTML)'],
    [
      'a code fence',
      `\`\`\`yaml\n${head}models: []\n\`\`\`\n`,
      '1:1: ',
      'a Markdown code fence is no part of a recipe; leave out the lines that begin with ```',
    ],
    ['a code fence of tildes', `\n~~~\n${head}models: []\n~~~\n`, '2:1: ', 'leave out the lines that begin with ~~~'],
    ['a code fence at the end', `${head}models: [{model: a}]\n\`\`\`\n`, '3:1: ', 'the lines that begin with ```'],
    [
      'a code fence of tildes at the end',
      `${head}models: [{model: a}]\n~~~\n`,
      '3:1: ',
      'the lines that begin with ~~~',
    ],
    ['a no-break space after a colon', `merge_method:\u00a0linear\nmodels: []\n`, '1:14: ', 'no-break space (U+00A0)'],
    ['no-break spaces as indentation', `${head}models:\n\u00a0\u00a0- model: a\n`, '3:1: ', 'no-break space (U+00A0)'],
    ['a no-break space in a list item', `${head}models:\n- model:\u00a0a\n`, '3:9: ', 'no-break space (U+00A0)'],
    ['a no-break space at the end', `merge_method: linear\u00a0\nmodels: []\n`, '1:21: ', 'no-break space (U+00A0)'],
    ['a space of no width', `${head}\u200bmodels: [{model: a}]\n`, '2:1: ', '(U+200B)'],
    ['typographic quotes', `${head}models: [{model: “org/a”}]\n`, '2:18: ', '“ is a typographic quotation mark'],
    ['typographic quotes around a key', `‘merge_method’: linear\n`, '1:1: ', 'typographic quotation mark'],
  ])('%s', (_, text, place, reason) => {
    const line = faultsOf(text).find((fault) => fault.startsWith(`config:${place}`))
    expect(line).toContain(reason)
    expect(line).not.toMatch(/implicit|compact mapping|node end|YAML stream/)
  })

  it('UTF-16, read as UTF-8 by whoever read the file', () => {
    const bytes = Buffer.from(`\uFEFF${head}`, 'utf16le')
    expect(faultsOf(bytes.toString('utf8'))).toEqual([
      'config:1:1: not valid YAML: the file is UTF-16, expected UTF-8; save it as UTF-8',
    ])
    expect(faultsOf(bytes.swap16().toString('utf8'))[0]).toContain('UTF-16')
  })

  it('a backslash in double quotes that makes a tab', () => {
    expect(faultsOf(`${head}models: [{model: "C:\\temp"}]`)).toEqual([
      expect.stringContaining('a Windows path stands in single quotes or in none'),
    ])
  })

  it('models as a mapping', () => {
    expect(faultsOf(`${head}models: {a: {weight: 1}}`)[0]).toContain(`each of them is written '- model: …'`)
  })

  it('a list without a key, whatever a comment before it ends in', () => {
    expect(faultsOf('# my models:\n- model: a\nmerge_method: linear')[0]).toContain(
      `write 'models:' on a line before it`,
    )
  })

  it.each([`${head}models: [\n- model: a`, `${head}mine:\n- model: a\n  b: [`])(
    'not that of a list which has a key: %j',
    (text) => {
      for (const fault of faultsOf(text)) expect(fault).not.toContain('has no key')
    },
  )

  it('models as the whole file', () => {
    expect(faultsOf('- model: a\n- model: b')[0]).toContain(`this list has no key; write 'models:'`)
  })
})

it('lets those letters stand where they are text', () => {
  const text = `${head}models: [{model: a}] # “so”\u00a0here\nchat_template: "“\u00a0{{ x }}"\n`
  expect(parseConfig(text).config.chatTemplate).toBe('“\u00a0{{ x }}')
  expect(parseConfig(`${head}models: [{model: a}]\nchat_template: |\n  \u00a0x “y”\n`).config.chatTemplate).toBe(
    '\u00a0x “y”\n',
  )
})
