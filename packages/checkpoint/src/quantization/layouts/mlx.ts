import type { Dtype } from '@mk/safetensors'
import type { PackedSource, SmallFloat, TensorSource } from '@mk/source'
import { isObject, type ModelConfig } from '../config-quantization.ts'
import { type Layout, type Parts, scaleDtypes } from './layout.ts'

/** What the modes of `mlx.core.quantize` say of codes and scales. */
interface Mode {
  readonly codes?: SmallFloat
  readonly scales?: SmallFloat
  readonly hasBiases?: true
}

const modes: Readonly<Record<string, Mode>> = {
  affine: { hasBiases: true },
  mxfp4: { codes: 'e2m1', scales: 'e8m0' },
  mxfp8: { codes: 'e4m3', scales: 'e8m0' },
  nvfp4: { codes: 'e2m1', scales: 'e4m3' },
}

const widths = [2, 3, 4, 5, 6, 8]

/**
 * MLX: codes along each row, low bits first, running on from word to word; each group of a row has a scale, and a bias in mode `affine`. Modules
 * may have settings of their own.
 */
export const mlx: Layout = {
  stemOf: (name) => /^(?<stem>.+)\.(?:scales|biases)$/.exec(name)?.groups?.['stem'],
  open(parts) {
    const { mode, bits, groupSize } = settingsOf(parts)
    const words = parts.need('.weight', { dtypes: ['U32'] })
    const rows = words.shape.slice(0, -1)
    const groups = parts.need('.scales', { dtypes: mode.scales === undefined ? scaleDtypes : u8 })
    const groupCount = groups.shape.at(-1) ?? 0
    const columns = groupCount * groupSize
    if (words.shape.length < 2 || columns === 0 || columns * bits !== words.shape.at(-1)! * 32)
      parts.misfit(
        '.weight',
        `${bits} bits a column, and ${groupSize} columns for each of the ${groupCount} scales of a row`,
      )
    const ofGroups = [...rows, groupCount]
    parts.need('.scales', { dtypes: [groups.dtype], shape: ofGroups })
    const bias = mode.hasBiases && parts.need('.biases', { dtypes: scaleDtypes, shape: ofGroups })
    const shape = [...rows, columns]
    return {
      name: `${parts.stem}.weight`,
      source: {
        kind: 'dequantized',
        dtype: 'F32',
        shape,
        source: packed(words, shape, bits, mode.codes),
        scale: mode.scales === undefined ? groups : packed(groups, ofGroups, 8, mode.scales),
        blockRows: 1,
        blockColumns: groupSize,
        ...(bias && { bias }),
      },
    }
  },
}

const u8: readonly Dtype[] = ['U8']

const packed = (
  words: TensorSource,
  shape: readonly number[],
  bits: number,
  format: SmallFloat | undefined,
): PackedSource => ({
  kind: 'packed',
  dtype: 'F32',
  shape,
  words,
  bits,
  along: 'columns',
  values: format === undefined ? { kind: 'integers', offset: 0 } : { kind: 'floats', format },
})

/** Those of a module, whose name may have a prefix here that the config does without. */
function ownSettings(settings: ModelConfig, stem: string): ModelConfig {
  for (let name: string | undefined = stem; name !== undefined; name = /^[^.]+\.(.+)$/.exec(name)?.[1]) {
    const own = settings[name]
    if (isObject(own)) return own
  }
  return {}
}

function settingsOf({ stem, settings, unfit }: Parts) {
  const own = ownSettings(settings, stem)
  const { bits, group_size: groupSize, mode: name = 'affine' } = { ...settings, ...own }
  const mode = typeof name === 'string' && Object.hasOwn(modes, name) ? modes[name] : undefined
  if (mode === undefined) return unfit('mode', name, Object.keys(modes).join(', '))
  const allowed = mode.codes === undefined ? widths : [mode.codes === 'e2m1' ? 4 : 8]
  if (!allowed.includes(bits as number)) return unfit('bits', bits, allowed.join(', '))
  if (!Number.isInteger(groupSize) || (groupSize as number) <= 0)
    return unfit('group_size', groupSize, 'how many columns have one scale')
  return { mode, bits: bits as number, groupSize: groupSize as number }
}
