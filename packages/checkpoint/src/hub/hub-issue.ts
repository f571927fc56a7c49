/** What can go wrong between here and a model of the Hugging Face Hub. None of them carries a token. */
export type HubIssue =
  | { readonly code: 'hub-id'; readonly id: string }
  | { readonly code: 'hub-revision'; readonly id: string; readonly revision: string }
  | { readonly code: 'hub-endpoint'; readonly problem: string }
  | { readonly code: 'hub-token'; readonly problem: string }
  | { readonly code: 'hub-offline'; readonly id: string; readonly revision: string; readonly cacheFolder: string }
  | { readonly code: 'hub-unauthorized'; readonly id: string; readonly hasToken: boolean }
  | { readonly code: 'hub-gated'; readonly id: string; readonly hasToken: boolean }
  | { readonly code: 'hub-not-found'; readonly id: string; readonly what: string }
  | { readonly code: 'hub-status'; readonly id: string; readonly what: string; readonly status: number }
  | { readonly code: 'hub-unreachable'; readonly id: string; readonly what: string; readonly reason: string }
  | { readonly code: 'hub-answer'; readonly id: string; readonly problem: string }
  | {
      readonly code: 'hub-no-weights'
      readonly id: string
      readonly purpose: 'model' | 'adapter'
      readonly found: readonly string[]
    }
  | { readonly code: 'hub-shard-missing'; readonly id: string; readonly index: string; readonly shard: string }
  | {
      readonly code: 'hub-length'
      readonly id: string
      readonly file: string
      readonly found: number
      readonly expected: number
    }
  | { readonly code: 'hub-corrupt'; readonly id: string; readonly file: string }
  | {
      readonly code: 'hub-disk'
      readonly folder: string
      readonly neededBytes: number
      readonly availableBytes: number
    }

type Messages = { readonly [Code in HubIssue['code']]: (issue: Extract<HubIssue, { code: Code }>) => string }

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(bytes < 1e8 ? 4 : 1)} GB`

const tokenHint = (hasToken: boolean): string =>
  hasToken ? 'the token that is set does not give access' : 'set HF_TOKEN, or log in with `hf auth login`'

export const hubMessages: Messages = {
  'hub-id': ({ id }) => `'${id}' is neither a local folder nor a hub id; expected org/name`,
  'hub-revision': ({ id, revision }) =>
    `'${revision}' can't be a revision of ${id}; expected a branch, a tag or a commit`,
  'hub-endpoint': ({ problem }) => `HF_ENDPOINT ${problem}; expected something like https://huggingface.co`,
  'hub-token': ({ problem }) => `the Hugging Face token ${problem}; expected the text of a token alone`,
  'hub-offline': ({ id, revision, cacheFolder }) =>
    `${id}@${revision} is not complete in the cache ${cacheFolder}, and HF_HUB_OFFLINE forbids to download it`,
  'hub-unauthorized': ({ id, hasToken }) =>
    `the hub does not show ${id}: there is no such model, or it is private; ${tokenHint(hasToken)}`,
  'hub-gated': ({ id, hasToken }) =>
    `${id} is gated: accept its conditions on its page at the hub first; ${tokenHint(hasToken)}`,
  'hub-not-found': ({ id, what }) => `the hub has no ${what} of ${id}`,
  'hub-status': ({ id, what, status }) => `the hub answered the request for ${what} of ${id} with status ${status}`,
  'hub-unreachable': ({ id, what, reason }) =>
    `${what} of ${id} could not be fetched: ${reason}; what has arrived is kept, and the next run goes on from there`,
  'hub-answer': ({ id, problem }) => `the hub's answer about ${id} can't be understood: ${problem}`,
  'hub-no-weights': ({ id, purpose, found }) => {
    const expected =
      purpose === 'adapter'
        ? 'adapter_config.json and adapter_model.safetensors or adapter_model.bin'
        : 'safetensors or pytorch_model.bin at its top level'
    const shown = found.slice(0, 8).join(', ')
    return `${id} has nothing to merge; expected ${expected}, found ${shown === '' ? 'no files' : shown}${found.length > 8 ? ', …' : ''}`
  },
  'hub-shard-missing': ({ id, index, shard }) => `${index} of ${id} names ${shard}, which the repository does not have`,
  'hub-length': ({ id, file, found, expected }) => `${file} of ${id} has ${found} bytes; expected ${expected}`,
  'hub-corrupt': ({ id, file }) =>
    `${file} of ${id} arrived damaged (its hash is not the one that the hub tells) and was discarded; try again`,
  'hub-disk': ({ folder, neededBytes, availableBytes }) =>
    `${folder} has ${gigabytes(availableBytes)} left, but ${gigabytes(neededBytes)} are to be downloaded; free some, or name another cache with HF_HUB_CACHE`,
}
