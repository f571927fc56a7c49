import { expect, it } from 'vitest'
import { readConfig } from './index.ts'
import { stringifyYaml } from './stringify-yaml.ts'

it('quotes what mergekit would read as something else', () => {
  expect(stringifyYaml({ a: 'yes', b: 'on', c: '1', d: 'null', e: '<<', '<<': '' })).toBe(
    'a: "yes"\nb: "on"\nc: "1"\nd: "null"\ne: <<\n"<<": ""\n',
  )
})

it.each(['\u2028', '\ufeffa', 'a\u00a0', 'a:\u2028b', '“a”'])('quotes %j, which is refused without quotes', (text) => {
  const yaml = stringifyYaml({ merge_method: text, models: [{ model: 'a' }] })
  expect(readConfig(yaml, {}).config?.mergeMethod[0]?.method).toBe(text)
})
