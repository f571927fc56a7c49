import { defineIssues, quoted, shortened, usage } from '@mk/errors'

type MisfittingScale = {
  readonly folder: string
  readonly scale: string
  readonly scaleShape: readonly number[]
  readonly tensor: string
  readonly shape: readonly number[]
}

/** Declares what can be wrong with quantized weights. */
export const quantizationIssues = defineIssues({
  quantized: usage<{
    readonly folder: string
    readonly scheme: string
    readonly evidence: string
    /** Whether config.json says nothing of it, perhaps since it isn't beside a file that was named alone. */
    readonly isUnsaid?: boolean
  }>(
    ({ folder, scheme, evidence, isUnsaid }) =>
      `${folder} is quantized with ${scheme} (${evidence}), ${isUnsaid === true ? "which can't be read without its quantization_config; expected the folder with its config.json, or" : "which can't be merged; expected"} the model that it was made from, in float16, bfloat16, float32 or float8`,
  ),
  'scale-missing': usage<{ readonly folder: string; readonly tensor: string; readonly scheme: string }>(
    ({ folder, tensor, scheme }) =>
      `${folder}: config.json says that the weights are ${scheme}, but tensor ${quoted(tensor)} has no scale beside it (${quoted(`${tensor}_scale_inv`)} or ${quoted(`${tensor}_scale`)})`,
  ),
  'scale-shape': usage<MisfittingScale>(
    ({ folder, scale, scaleShape, tensor, shape }) =>
      `${folder}: ${quoted(scale)} has the shape ${sizes(scaleShape)}; expected one scale for all of ${quoted(tensor)} ${sizes(shape)}, or one per row, column or block`,
  ),
  'quantized-part-missing': usage<{
    readonly folder: string
    readonly scheme: string
    readonly tensor: string
    readonly missing: string
  }>(
    ({ folder, scheme, tensor, missing }) =>
      `${folder}: there is no tensor ${quoted(missing)}; expected it beside the other parts of ${quoted(tensor)}, since config.json says that the weights are quantized with ${scheme}`,
  ),
  'quantized-part': usage<{
    readonly folder: string
    readonly scheme: string
    readonly tensor: string
    readonly dtype: string
    readonly shape: readonly number[]
    readonly expected: string
  }>(
    ({ folder, scheme, tensor, dtype, shape, expected }) =>
      `${folder}: ${quoted(tensor)} is ${dtype} ${sizes(shape)}, which does not fit weights quantized with ${scheme}; expected ${expected}`,
  ),
  'quantized-setting': usage<{
    readonly folder: string
    readonly scheme: string
    readonly setting: string
    readonly found: string
    readonly expected: string
  }>(
    ({ folder, scheme, setting, found, expected }) =>
      `${folder}: weights are quantized with ${scheme}, and ${setting} is ${shortened(found)}; expected ${expected}`,
  ),
})

const sizes = (shape: readonly number[]): string => `[${shape.join(', ')}]`
