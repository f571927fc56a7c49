import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type ComparisonOptions, differences } from './__fixtures__/compare-goldens.ts'
import { goldens, runBin, withFolder } from './__fixtures__/run-bin.ts'

const bin = new URL('../bin/mergekit-yaml.cjs', import.meta.url)
const cases = readdirSync(join(goldens, 'cases')).filter(
  (name) => existsSync(join(goldens, 'cases', name, 'config.yml')) && !name.startsWith('bakllama-'),
)

/** Where we differ on purpose; docs/decisions/differences-from-goldens.md tells why. */
const special: Readonly<Record<string, ComparisonOptions>> = {
  breadcrumbs: { except: /norm/ },
  breadcrumbs_ties: { except: /norm/ },
  arcee_fusion: { share: 0.001 },
  'linear-mixtral': { packExperts: true },
}

describe('what mergekit produced', () => {
  test.for(cases)('%s', { timeout: 60_000 }, (name) =>
    withFolder(async (folder) => {
      const out = join(folder, 'out')
      const { status, stderr } = await runBin(bin, [join('cases', name, 'config.yml'), out, '--threads', '1'])
      expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
      expect(
        await differences(out, join(goldens, 'cases', name, 'expected'), {
          union: /union|tokens/.test(name),
          ...special[name],
        }),
      ).toEqual([])
    }),
  )
})
