import { defineIssues, usage } from '@mk/errors'
import { quote } from '../parse/issues.ts'

type OfModel = {
  readonly model: string
}

/** What does not fit between a setting, a chat template and the models. */
export const planRules = defineIssues({
  'missing-tokenizer': usage<OfModel & { readonly found: readonly string[] }>(
    ({ model, found }) =>
      `${model}: has no tokenizer.json${found.length > 0 ? ` (only ${found.join(', ')})` : ''}, so its tokens are not known; save it with AutoTokenizer.from_pretrained(…).save_pretrained(…), or leave out the tokenizer setting`,
  ),
  'sentencepiece-only': usage<OfModel & { readonly file: string }>(
    ({ model, file }) =>
      `${model}: has ${file} but no tokenizer.json, which a new vocabulary is built from; convert it with AutoTokenizer.from_pretrained(…).save_pretrained(…), or leave out the tokenizer setting`,
  ),
  'empty-vocabulary': usage<OfModel & { readonly embeddingRows: number }>(
    ({ model, embeddingRows }) => `${model}: none of its tokens has one of its ${embeddingRows} embedding rows`,
  ),
  'no-vocabulary-models': usage(() => 'a vocabulary needs at least one model'),
  'unknown-tokenizer-model': usage<OfModel & { readonly known: readonly string[] }>(
    ({ model, known }) =>
      `the tokenizer setting names ${model}, which is not part of the merge; its models are ${known.join(', ')}`,
  ),
  'token-not-in-source': usage<
    OfModel & { readonly token: string; readonly source: string; readonly nearest: string | undefined }
  >(
    ({ model, token, source, nearest }) =>
      `the row of ${quote(token)} is to come from ${quote(source)} of ${model}, which has no such token${orElse(nearest)}`,
  ),
  'token-id-out-of-range': usage<
    OfModel & { readonly token: string; readonly id: number; readonly embeddingRows: number }
  >(
    ({ model, token, id, embeddingRows }) =>
      `the row of ${quote(token)} is to come from row ${id} of ${model}, which has ${embeddingRows}`,
  ),
  'force-without-source': usage<{ readonly token: string }>(
    ({ token }) => `the token ${quote(token)} has 'force' but no source to take its row from`,
  ),
  'bad-padding': usage<{ readonly multiple: number }>(
    ({ multiple }) => `pad_to_multiple_of is ${multiple}; expected an integer from 1 to 1048576`,
  ),
  'unknown-chat-template': usage<{
    readonly name: string
    readonly known: readonly string[]
    readonly nearest: string | undefined
  }>(
    ({ name, known, nearest }) =>
      `chat_template ${quote(name)} is neither the name of a known template (${known.join(', ')}, auto) nor a Jinja template${orElse(nearest)}`,
  ),
})

const orElse = (nearest: string | undefined): string =>
  nearest === undefined ? '' : `; did you mean ${quote(nearest)}?`
