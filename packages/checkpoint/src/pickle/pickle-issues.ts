import { defineIssues, quoted, shortened, usage } from '@mk/errors'

type OfFile = {
  readonly file: string
}

type AtByte = OfFile & {
  readonly byte: number
}

type OfTensor = OfFile & {
  readonly tensor: string
}

/** Declares what can be wrong with a torch checkpoint file. Bytes are positions in `file`. */
export const pickleIssues = defineIssues({
  'pickle-format': usage<OfFile & { readonly found: string }>(
    ({ file, found }) => `${file} is no torch checkpoint: it ${found}; expected a file written by torch.save`,
  ),
  'pickle-big-endian': usage<OfFile>(
    ({ file }) => `${file} was written on a big-endian machine; expected little-endian tensors`,
  ),
  'pickle-truncated': usage<AtByte>(
    ({ file, byte }) =>
      `${file} ends at byte ${byte} in the middle of a pickle; the download or copy may be incomplete`,
  ),
  'pickle-opcode': usage<AtByte & { readonly opcode: number }>(
    ({ file, byte, opcode }) =>
      `${file}: pickle opcode 0x${opcode.toString(16).padStart(2, '0')} at byte ${byte} is none that a state dict needs`,
  ),
  'pickle-global': usage<AtByte & { readonly name: string }>(
    ({ file, byte, name }) =>
      `${file}: the pickle at byte ${byte} asks for ${shortened(name)}; only what tensors are made of is known here and nothing is executed. ` +
      'Save the state dict alone, or convert the file to safetensors',
  ),
  'pickle-stack': usage<AtByte & { readonly opcode: string; readonly expected: string }>(
    ({ file, byte, opcode, expected }) => `${file}: pickle opcode ${opcode} at byte ${byte} needs ${expected}`,
  ),
  'pickle-memo': usage<AtByte & { readonly index: number }>(
    ({ file, byte, index }) => `${file}: the pickle at byte ${byte} recalls memo ${index}, which was never stored`,
  ),
  'pickle-limit': usage<OfFile & { readonly what: string; readonly found: number; readonly limit: number }>(
    ({ file, what, found, limit }) => `${file}: ${what} is ${found}; expected at most ${limit}`,
  ),
  'pickle-call': usage<AtByte & { readonly name: string; readonly expected: string }>(
    ({ file, byte, name, expected }) =>
      `${file}: the pickle calls ${shortened(name)} at byte ${byte} in a way it can't be; expected ${expected}`,
  ),
  'pickle-persistent-id': usage<AtByte & { readonly found: string }>(
    ({ file, byte, found }) =>
      `${file}: the persistent id at byte ${byte} is ${found}; expected ('storage', type, key, location, element count)`,
  ),
  'pickle-storage-list': usage<OfFile & { readonly key: string; readonly problem: string }>(
    ({ file, key, problem }) => `${file}: storage ${quoted(key)} ${problem}`,
  ),
  'pickle-storage-missing': usage<OfTensor & { readonly key: string }>(
    ({ file, tensor, key }) =>
      `${file}: tensor ${quoted(tensor)} is in storage ${quoted(key)}, which the file does not hold`,
  ),
  'pickle-storage-outside': usage<
    OfFile & { readonly key: string; readonly bytes: number; readonly available: number }
  >(
    ({ file, key, bytes, available }) =>
      `${file}: storage ${quoted(key)} should have ${bytes} bytes, but the file holds ${available} for it`,
  ),
  'pickle-tensor-outside': usage<OfTensor & { readonly elementEnd: number; readonly elementCount: number }>(
    ({ file, tensor, elementEnd, elementCount }) =>
      `${file}: tensor ${quoted(tensor)} reaches to element ${elementEnd} of a storage of ${elementCount}`,
  ),
  'pickle-tensor-size': usage<OfTensor & { readonly shape: readonly number[] }>(
    ({ file, tensor, shape }) =>
      `${file}: tensor ${quoted(tensor)} has a shape too large to be real, [${shape.join(', ')}]`,
  ),
  'pickle-dtype': usage<OfTensor & { readonly found: string }>(
    ({ file, tensor, found }) =>
      `${file}: tensor ${quoted(tensor)} has the type ${found}, which has no counterpart in safetensors`,
  ),
  'pickle-key': usage<OfFile & { readonly found: string }>(
    ({ file, found }) => `${file}: a tensor of the state dict is named ${found}; expected a string`,
  ),
  'pickle-no-state-dict': usage<OfFile & { readonly found: string }>(
    ({ file, found }) =>
      `${file} holds no state dict: found ${found}; expected a dict of tensors, or one under 'state_dict', 'model', 'model_state_dict' or 'module'`,
  ),
  'pickle-shards-overlap': usage<OfTensor & { readonly other: string }>(
    ({ file, other, tensor }) =>
      `tensor ${quoted(tensor)} is in both ${other} and ${file}; expected each tensor in one shard`,
  ),
  'pickle-index-missing': usage<OfTensor & { readonly shard: string }>(
    ({ file, tensor, shard }) => `${file} says that tensor ${quoted(tensor)} is in ${shortened(shard)}, but it isn't`,
  ),
})
