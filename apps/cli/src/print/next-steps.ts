import { basename, resolve } from 'node:path'
import type { MergeDone } from './format-result.ts'
import type { PlainScreen } from './style.ts'

/** Tells what a merged model is good for next: loading it, and uploading it. */
export function formatNextSteps({ out, plan }: Pick<MergeDone, 'out' | 'plan'>, { style }: PlainScreen): string {
  const isModel = plan.documents.some(({ name }) => name === 'config.json')
  const load = isModel
    ? `AutoModelForCausalLM.from_pretrained(${JSON.stringify(out)})  # transformers`
    : `load_file(${JSON.stringify(`${out}/${plan.files[0]?.name ?? ''}`)})  # safetensors.torch`
  const upload = `hf upload YOUR_NAME/${hubName(out)} ${shellQuoted(out)}`
  return `${style.dim('load it:')}   ${load}\n${style.dim('upload it:')} ${upload}\n`
}

/** The hub takes letters, digits, '-', '_' and '.'. */
const hubName = (out: string): string =>
  basename(resolve(out))
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '') || 'merged'

const shellQuoted = (text: string): string =>
  /^[\w./@%+=:,~-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", `'\\''`)}'`
