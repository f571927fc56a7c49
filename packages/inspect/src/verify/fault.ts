/** What is wrong with an output, by code. */
export type FaultCode =
  | 'no-weights'
  | 'file-missing'
  | 'file-unreadable'
  | 'index'
  | 'extra-file'
  | 'config'
  | 'layers'
  | 'tensor-missing'
  | 'shape'
  | 'not-finite'
  | 'constant'
  | 'checksum'
  | 'differs'

/** Something that is wrong with an output, or may be. */
export interface Fault {
  readonly code: FaultCode
  /** What may be meant is a doubt: a tensor of zeros, say, which `passthrough` with `scale: 0` writes. */
  readonly isDoubt: boolean
  /** Inside the output. */
  readonly file?: string
  readonly tensor?: string
  readonly text: string
}

/** Makes a fault. */
export const fault = (code: FaultCode, text: string, place: Pick<Fault, 'file' | 'tensor'> = {}): Fault => ({
  code,
  isDoubt: false,
  ...place,
  text,
})

/** Makes a doubt. */
export const doubt = (code: FaultCode, text: string, place: Pick<Fault, 'file' | 'tensor'> = {}): Fault => ({
  ...fault(code, text, place),
  isDoubt: true,
})
