/** What can be wrong with a torch checkpoint file. Bytes are positions in `file`. */
export type PickleIssue =
  | { readonly code: 'pickle-format'; readonly file: string; readonly found: string }
  | { readonly code: 'pickle-big-endian'; readonly file: string }
  | { readonly code: 'pickle-truncated'; readonly file: string; readonly byte: number }
  | { readonly code: 'pickle-opcode'; readonly file: string; readonly byte: number; readonly opcode: number }
  | { readonly code: 'pickle-global'; readonly file: string; readonly byte: number; readonly name: string }
  | {
      readonly code: 'pickle-stack'
      readonly file: string
      readonly byte: number
      readonly opcode: string
      readonly expected: string
    }
  | { readonly code: 'pickle-memo'; readonly file: string; readonly byte: number; readonly index: number }
  | {
      readonly code: 'pickle-limit'
      readonly file: string
      readonly what: string
      readonly found: number
      readonly limit: number
    }
  | {
      readonly code: 'pickle-call'
      readonly file: string
      readonly byte: number
      readonly name: string
      readonly expected: string
    }
  | { readonly code: 'pickle-persistent-id'; readonly file: string; readonly byte: number; readonly found: string }
  | { readonly code: 'pickle-storage-list'; readonly file: string; readonly key: string; readonly problem: string }
  | { readonly code: 'pickle-storage-missing'; readonly file: string; readonly tensor: string; readonly key: string }
  | {
      readonly code: 'pickle-storage-outside'
      readonly file: string
      readonly key: string
      readonly bytes: number
      readonly available: number
    }
  | {
      readonly code: 'pickle-tensor-outside'
      readonly file: string
      readonly tensor: string
      readonly elementEnd: number
      readonly elementCount: number
    }
  | {
      readonly code: 'pickle-tensor-size'
      readonly file: string
      readonly tensor: string
      readonly shape: readonly number[]
    }
  | { readonly code: 'pickle-dtype'; readonly file: string; readonly tensor: string; readonly found: string }
  | { readonly code: 'pickle-key'; readonly file: string; readonly found: string }
  | { readonly code: 'pickle-no-state-dict'; readonly file: string; readonly found: string }
  | { readonly code: 'pickle-shards-overlap'; readonly file: string; readonly other: string; readonly tensor: string }
  | { readonly code: 'pickle-index-missing'; readonly file: string; readonly tensor: string; readonly shard: string }
  | { readonly code: 'zip-directory'; readonly file: string; readonly problem: string }
  | { readonly code: 'zip-compressed'; readonly file: string; readonly entry: string; readonly method: number }
  | { readonly code: 'zip-encrypted'; readonly file: string; readonly entry: string }
  | {
      readonly code: 'zip-outside'
      readonly file: string
      readonly entry: string
      readonly byteEnd: number
      readonly limit: number
    }
  | { readonly code: 'zip-overlap'; readonly file: string; readonly entry: string; readonly other: string }
  | { readonly code: 'zip-duplicate'; readonly file: string; readonly entry: string }
  | { readonly code: 'zip-missing'; readonly file: string; readonly entry: string }

type Messages = { readonly [Code in PickleIssue['code']]: (issue: Extract<PickleIssue, { code: Code }>) => string }

export const pickleMessages: Messages = {
  'pickle-format': ({ file, found }) =>
    `${file} is no torch checkpoint: it starts with ${found}; expected a file written by torch.save`,
  'pickle-big-endian': ({ file }) => `${file} was written on a big-endian machine; expected little-endian tensors`,
  'pickle-truncated': ({ file, byte }) =>
    `${file} ends at byte ${byte} in the middle of a pickle; the download or copy may be incomplete`,
  'pickle-opcode': ({ file, byte, opcode }) =>
    `${file}: pickle opcode 0x${opcode.toString(16).padStart(2, '0')} at byte ${byte} is none that a state dict needs`,
  'pickle-global': ({ file, byte, name }) =>
    `${file}: the pickle at byte ${byte} asks for ${name}; only what tensors are made of is known here and nothing is executed. ` +
    'Save the state dict alone, or convert the file to safetensors',
  'pickle-stack': ({ file, byte, opcode, expected }) =>
    `${file}: pickle opcode ${opcode} at byte ${byte} needs ${expected}`,
  'pickle-memo': ({ file, byte, index }) =>
    `${file}: the pickle at byte ${byte} recalls memo ${index}, which was never stored`,
  'pickle-limit': ({ file, what, found, limit }) => `${file}: ${what} is ${found}; expected at most ${limit}`,
  'pickle-call': ({ file, byte, name, expected }) =>
    `${file}: the pickle calls ${name} at byte ${byte} in a way it can't be; expected ${expected}`,
  'pickle-persistent-id': ({ file, byte, found }) =>
    `${file}: the persistent id at byte ${byte} is ${found}; expected ('storage', type, key, location, element count)`,
  'pickle-storage-list': ({ file, key, problem }) => `${file}: storage '${key}' ${problem}`,
  'pickle-storage-missing': ({ file, tensor, key }) =>
    `${file}: tensor '${tensor}' lives in storage '${key}', which the file does not hold`,
  'pickle-storage-outside': ({ file, key, bytes, available }) =>
    `${file}: storage '${key}' should have ${bytes} bytes, but the file holds ${available} for it`,
  'pickle-tensor-outside': ({ file, tensor, elementEnd, elementCount }) =>
    `${file}: tensor '${tensor}' reaches to element ${elementEnd} of a storage of ${elementCount}`,
  'pickle-tensor-size': ({ file, tensor, shape }) =>
    `${file}: tensor '${tensor}' has a shape too large to be real, [${shape.join(', ')}]`,
  'pickle-dtype': ({ file, tensor, found }) =>
    `${file}: tensor '${tensor}' has the type ${found}, which has no counterpart in safetensors`,
  'pickle-key': ({ file, found }) => `${file}: a tensor of the state dict is named ${found}; expected a string`,
  'pickle-no-state-dict': ({ file, found }) =>
    `${file} holds no state dict: found ${found}; expected a dict of tensors, or one under 'state_dict', 'model', 'model_state_dict' or 'module'`,
  'pickle-shards-overlap': ({ file, other, tensor }) =>
    `tensor '${tensor}' is in both ${other} and ${file}; expected each tensor in one shard`,
  'pickle-index-missing': ({ file, tensor, shard }) =>
    `${file} says that tensor '${tensor}' is in ${shard}, but it isn't`,
  'zip-directory': ({ file, problem }) =>
    `${file}: the zip directory can't be read: ${problem}; the download or copy may be incomplete`,
  'zip-compressed': ({ file, entry, method }) =>
    `${file}: zip entry '${entry}' is compressed (method ${method}); expected stored entries, as torch.save writes them`,
  'zip-encrypted': ({ file, entry }) =>
    `${file}: zip entry '${entry}' is encrypted; expected stored entries, as torch.save writes them`,
  'zip-outside': ({ file, entry, byteEnd, limit }) =>
    `${file}: zip entry '${entry}' reaches to byte ${byteEnd}; expected at most ${limit}`,
  'zip-overlap': ({ file, entry, other }) => `${file}: zip entries '${other}' and '${entry}' overlap`,
  'zip-duplicate': ({ file, entry }) => `${file}: zip entry '${entry}' occurs twice`,
  'zip-missing': ({ file, entry }) => `${file}: zip entry '${entry}' is missing; expected a file written by torch.save`,
}
