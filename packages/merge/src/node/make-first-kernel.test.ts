import { expect, test } from 'vitest'
import { makeFirstKernel } from './make-first-kernel.ts'

test('the kernel that a thread makes for nobody is a valid one', () => expect(makeFirstKernel).not.toThrow())
