import { basename, resolve } from 'node:path'
import type { MergeDone } from './format-result.ts'
import type { PlainScreen } from './style.ts'

/** Tells what a merged model is good for next: loading it, and uploading it. */
export function formatNextSteps({ out, plan }: Pick<MergeDone, 'out' | 'plan'>, screen: PlainScreen): string {
  const file = `${out}/${plan.files[0]?.name ?? ''}`
  const [loader, load] =
    plan.files[0]?.format === 'gguf'
      ? ['llama.cpp', `llama-cli -m ${shellQuoted(file)}`]
      : plan.documents.some(({ name }) => name === 'adapter_config.json')
        ? ['peft', `PeftModel.from_pretrained(base, ${JSON.stringify(out)})`]
        : plan.documents.some(({ name }) => name === 'config.json')
          ? ['transformers', `AutoModelForCausalLM.from_pretrained(${JSON.stringify(out)})`]
          : ['safetensors.torch', `load_file(${JSON.stringify(file)})`]
  const upload = ['hf upload', `YOUR_NAME/${hubName(out)}`, shellQuoted(out)]
  return [step(`load it (${loader}):`, [load], screen), step('upload it:', upload, screen)].join('')
}

/** A command that is too long for its line goes on behind a backslash, so that it can still be copied. */
function step(label: string, command: readonly string[], { width = Infinity, style }: PlainScreen): string {
  const line = command.join(' ')
  if (label.length + 1 + line.length <= width) return `${style.dim(label)} ${line}\n`
  const below = line.length + 2 <= width ? line : command.join(' \\\n    ')
  return `${style.dim(label)}\n  ${below}\n`
}

/** The hub takes letters, digits, '-', '_' and '.'. */
const hubName = (out: string): string =>
  basename(resolve(out))
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '') || 'merged'

const shellQuoted = (text: string): string =>
  /^[\w./@%+=:,~-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", `'\\''`)}'`
