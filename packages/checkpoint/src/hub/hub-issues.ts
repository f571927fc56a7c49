import { defineIssues, failure, shortened, usage } from '@mk/errors'

type OfModel = {
  /** `org/name`, as far as it is one. */
  readonly id: string
}

type OfFile = OfModel & {
  readonly file: string
}

type OfRequest = OfModel & {
  /** What was asked for: a file, the list of files, a revision. */
  readonly what: string
}

/** Declares what can go wrong between here and a model of the Hugging Face Hub. None of them carries a token. */
export const hubIssues = defineIssues({
  'hub-id': usage<OfModel>(({ id }) => `'${id}' is neither a local folder nor a hub id; expected org/name`),
  'hub-revision': usage<OfModel & { readonly revision: string }>(
    ({ id, revision }) => `'${revision}' can't be a revision of ${id}; expected a branch, a tag or a commit`,
  ),
  'hub-endpoint': usage<{ readonly problem: string }>(
    ({ problem }) => `HF_ENDPOINT ${problem}; expected something like https://huggingface.co`,
  ),
  'hub-token': usage<{ readonly problem: string }>(
    ({ problem }) => `the Hugging Face token ${problem}; expected the text of a token alone`,
  ),
  'hub-proxy': usage<{ readonly variable: string; readonly problem: string }>(
    ({ variable, problem }) =>
      `${variable} ${problem}; expected the address of an HTTP proxy, such as http://proxy.example.org:8080`,
  ),
  'hub-cache-unwritable': usage<{ readonly folder: string; readonly reason: string }>(
    ({ folder, reason }) =>
      `the cache ${folder} can't be written (${reason}); make it writable, or name another folder with HF_HUB_CACHE`,
  ),
  'hub-cache-failed': failure<{ readonly folder: string; readonly reason: string }>(
    ({ folder, reason }) => `writing to the cache ${folder} failed: ${reason}`,
  ),
  'hub-offline': usage<OfModel & { readonly revision: string; readonly cacheFolder: string }>(
    ({ id, revision, cacheFolder }) =>
      `${id}@${revision} is not complete in the cache ${cacheFolder}, and HF_HUB_OFFLINE forbids to download it`,
  ),
  'hub-unauthorized': usage<OfModel & { readonly hasToken: boolean }>(
    ({ id, hasToken }) =>
      `the hub does not show ${id}: there is no such model, or it is private; ${tokenHint(hasToken)}`,
  ),
  'hub-gated': usage<OfModel & { readonly hasToken: boolean; readonly page: string }>(
    ({ id, hasToken, page }) => `${id} is gated: accept its conditions on ${page} first; ${tokenHint(hasToken)}`,
  ),
  'hub-forbidden': usage<OfRequest & { readonly hasToken: boolean }>(
    ({ id, what, hasToken }) => `the hub forbids the request for ${shortened(what)} of ${id}; ${tokenHint(hasToken)}`,
  ),
  'hub-not-found': usage<OfModel & { readonly what?: string; readonly hasToken?: boolean }>(({ id, what, hasToken }) =>
    what === undefined
      ? `the hub shows no model ${id}: there is none of this name, or it is private and ${hasToken ? 'the token that is set does not see it' : 'no token is set (HF_TOKEN, or `hf auth login`)'}`
      : `the hub has no ${shortened(what)} of ${id}`,
  ),
  'hub-rate-limited': failure<OfRequest & { readonly seconds: number; readonly hasToken: boolean }>(
    ({ id, what, seconds, hasToken }) =>
      `the hub limits the rate of requests, and wants another ${seconds} s of waiting before it answers for ${shortened(what)} of ${id}${hasToken ? '' : '; with a token (HF_TOKEN, or `hf auth login`) the limit is higher'}`,
  ),
  'hub-storage': failure<OfRequest & { readonly host: string; readonly status: number }>(
    ({ id, what, host, status }) =>
      `${host}, where the hub keeps ${shortened(what)} of ${id}, refuses to send it (status ${status}): the address may have expired, or a proxy or firewall may block it`,
  ),
  'hub-status': failure<OfRequest & { readonly status: number }>(
    ({ id, what, status }) => `the hub answered the request for ${shortened(what)} of ${id} with status ${status}`,
  ),
  'hub-unreachable': failure<
    OfRequest & {
      readonly reason: string
      readonly host: string
      /** A part of the file is in the cache. */
      readonly isPartlyHere?: boolean
    }
  >(
    ({ id, what, reason, host, isPartlyHere }) =>
      `${shortened(what)} of ${id} could not be fetched from ${host}: ${reason}${isPartlyHere === true ? '; what has arrived is kept, and the next run goes on from there' : ''}`,
  ),
  'hub-answer': failure<OfModel & { readonly problem: string }>(
    ({ id, problem }) => `the hub's answer about ${shortened(id)} can't be understood: ${shortened(problem, 300)}`,
  ),
  'hub-no-weights': usage<OfModel & { readonly purpose: 'model' | 'adapter'; readonly found: readonly string[] }>(
    ({ id, purpose, found }) => {
      const expected =
        purpose === 'adapter'
          ? 'adapter_config.json and adapter_model.safetensors or adapter_model.bin'
          : 'safetensors, pytorch_model.bin or a GGUF at its top level'
      const shown = found
        .slice(0, 8)
        .map((name) => shortened(name))
        .join(', ')
      return `${id} has nothing to merge; expected ${expected}, found ${shown === '' ? 'no files' : shown}${found.length > 8 ? ', …' : ''}`
    },
  ),
  'hub-shard-missing': usage<OfModel & { readonly index: string; readonly shard: string }>(
    ({ id, index, shard }) => `${index} of ${id} names ${shortened(shard)}, which the repository does not have`,
  ),
  'hub-length': failure<OfFile & { readonly found: number; readonly expected: number }>(
    ({ id, file, found, expected }) => `${shortened(file)} of ${id} has ${found} bytes; expected ${expected}`,
  ),
  'hub-corrupt': failure<OfFile>(
    ({ id, file }) =>
      `${shortened(file)} of ${id} arrived damaged (its hash is not the one that the hub tells) and was discarded; try again`,
  ),
  'hub-disk': failure<{ readonly folder: string; readonly neededBytes: number; readonly availableBytes: number }>(
    ({ folder, neededBytes, availableBytes }) =>
      `${folder} has ${gigabytes(availableBytes)} left, but ${gigabytes(neededBytes)} are to be downloaded; free some, or name another cache with HF_HUB_CACHE`,
  ),
})

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(bytes < 1e8 ? 4 : 1)} GB`

const tokenHint = (hasToken: boolean): string =>
  hasToken ? 'the token that is set does not give access' : 'set HF_TOKEN, or log in with `hf auth login`'
