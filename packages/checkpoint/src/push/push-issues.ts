import { defineIssues, failure, shortened, usage } from '@mk/errors'

type OfRepository = {
  /** `org/name`, as far as it is one. */
  readonly id: string
}

/** Declares what can go wrong between a folder here and a repository of the Hugging Face Hub. None of them carries a token. */
export const pushIssues = defineIssues({
  'push-id': usage<OfRepository>(({ id }) => `'${shortened(id)}' can't be a repository; expected org/name`),
  'push-folder': usage<{ readonly folder: string; readonly problem: string }>(
    ({ folder, problem }) => `${folder} ${problem}; expected a folder that a merge has written`,
  ),
  'push-token': usage<OfRepository>(
    ({ id }) =>
      `uploading to ${id} takes a token that may write: set HF_TOKEN, or log in with \`hf auth login\` (https://huggingface.co/settings/tokens)`,
  ),
  'push-offline': usage<OfRepository>(({ id }) => `HF_HUB_OFFLINE forbids uploading to ${id}`),
  'push-client': usage<{ readonly reason: string }>(
    ({ reason }) =>
      `uploading is done by @huggingface/hub, which can't be loaded (${reason}); install it with npm install @huggingface/hub beside the package`,
  ),
  'push-refused': usage<OfRepository & { readonly status: number; readonly message: string }>(
    ({ id, status, message }) =>
      `the hub does not take the upload to ${id} (status ${status}): ${shortened(message, 300)}`,
  ),
  'push-failed': failure<OfRepository & { readonly reason: string }>(
    ({ id, reason }) =>
      `the upload to ${id} failed: ${shortened(reason, 300)}; the same command goes on with what the hub does not have yet`,
  ),
})
