/** What of a tensor that is written is infinite or NaN, or of what it is made of. */
export interface NonFiniteTensor {
  readonly tensor: string
  /** What it is stored as. */
  readonly dtype: string
  /** Only models that have such elements are listed. */
  readonly inputs: readonly { readonly model: string; readonly count: number }[]
  /** In the tensor, rounded to its dtype. */
  readonly results: number
  /** Of those, where every input is finite. */
  readonly overflow: number
}

const limits: Readonly<Record<string, string>> = {
  Q8_0: 'q8_0 ends at 8.32e6',
  Q4_0: 'q4_0 ends at 5.24e5',
  F16: 'float16 ends at 65504',
  BF16: 'bfloat16 ends at 3.39e38',
  F32: 'float32 ends at 3.4e38',
  F64: 'arithmetic is float32, which ends at 3.4e38',
  F8_E4M3: 'float8_e4m3fn ends at 448',
  F8_E5M2: 'float8_e5m2 ends at 57344',
}

/** Puts in words what of a tensor is infinite or NaN, and why. */
export function describeNonFinite({ tensor, dtype, inputs, results, overflow }: NonFiniteTensor): string {
  const limit = limits[dtype] ?? dtype
  const parts = [
    ...inputs.map(({ model, count }) => `${count} in ${model}`),
    `${results || 'none'} in the result`,
    ...(overflow === 0
      ? []
      : [`${overflow === results ? 'by overflow' : `${overflow} of them by overflow`} (${limit})`]),
  ]
  return `${tensor}: ${parts.join(', ')}`
}
