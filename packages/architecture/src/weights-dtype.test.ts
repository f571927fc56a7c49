import { expect, test } from 'vitest'
import { weightsDtype } from './index.ts'

test.each([
  [{ torch_dtype: 'float16' }, 'float16'],
  [{ dtype: 'bfloat16' }, 'bfloat16'],
  [{ text_config: { dtype: 'float32' } }, 'float32'],
  [{ torch_dtype: 'float16', text_config: { dtype: 'float32' } }, 'float16'],
  [{ torch_dtype: 'auto', text_config: { torch_dtype: 'bfloat16' } }, 'bfloat16'],
  [{ torch_dtype: null, text_config: 'none' }, undefined],
  [{}, undefined],
  [undefined, undefined],
])('the dtype of the weights by %j is %s', (config, dtype) => expect(weightsDtype(config)).toBe(dtype))
