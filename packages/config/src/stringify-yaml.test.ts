import { expect, it } from 'vitest'
import { stringifyYaml } from './stringify-yaml.ts'

it('quotes what mergekit would read as something else', () => {
  expect(stringifyYaml({ a: 'yes', b: 'on', c: '1', d: 'null', e: '<<', '<<': '' })).toBe(
    'a: "yes"\nb: "on"\nc: "1"\nd: "null"\ne: <<\n"<<": ""\n',
  )
})
