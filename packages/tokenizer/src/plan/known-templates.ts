/**
 * Chat templates by name, written from the public descriptions of the prompt formats: Stanford Alpaca, OpenAI's ChatML,
 * LG's EXAONE 3, Meta's Llama 3 and Mistral's instruct models. Each is one line, so that it renders alike whether or not
 * the reader trims blocks.
 */
export const knownTemplates: ReadonlyMap<string, string> = new Map([
  [
    'alpaca',
    joined(
      '{% for turn in messages %}',
      "{% if turn['role'] == 'system' %}{{ (turn['content'] | trim) ~ '\\n\\n' }}",
      "{% elif turn['role'] == 'user' %}{{ '### Instruction:\\n' ~ (turn['content'] | trim) ~ '\\n\\n' }}",
      "{% elif turn['role'] == 'assistant' %}{{ '### Response:\\n' ~ (turn['content'] | trim) ~ '\\n\\n' }}",
      "{% else %}{{ '### Input:\\n' ~ (turn['content'] | trim) ~ '\\n\\n' }}",
      '{% endif %}{% endfor %}',
      "{% if add_generation_prompt %}{{ '### Response:\\n' }}{% endif %}",
    ),
  ],
  [
    'chatml',
    joined(
      '{% for turn in messages %}',
      "{{ '<|im_start|>' ~ turn['role'] ~ '\\n' ~ turn['content'] ~ '<|im_end|>\\n' }}",
      '{% endfor %}',
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    ),
  ],
  [
    'exaone',
    joined(
      "{% if messages[0]['role'] != 'system' %}{{ '[|system|][|endofturn|]\\n' }}{% endif %}",
      '{% for turn in messages %}',
      "{{ '[|' ~ turn['role'] ~ '|]' ~ turn['content'] ~ ('\\n' if turn['role'] == 'user' else '[|endofturn|]\\n') }}",
      '{% endfor %}',
      "{% if add_generation_prompt %}{{ '[|assistant|]' }}{% endif %}",
    ),
  ],
  [
    'llama3',
    joined(
      '{{ bos_token }}',
      '{% for turn in messages %}',
      "{{ '<|start_header_id|>' ~ turn['role'] ~ '<|end_header_id|>\\n\\n' ~ (turn['content'] | trim) ~ '<|eot_id|>' }}",
      '{% endfor %}',
      "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}",
    ),
  ],
  [
    'mistral',
    joined(
      '{{ bos_token }}',
      "{% set told = namespace(system='') %}",
      '{% for turn in messages %}',
      "{% if turn['role'] == 'system' %}{% set told.system = turn['content'] ~ '\\n\\n' %}",
      "{% elif turn['role'] == 'user' %}{{ '[INST] ' ~ told.system ~ turn['content'] ~ ' [/INST]' }}{% set told.system = '' %}",
      "{% elif turn['role'] == 'assistant' %}{{ ' ' ~ (turn['content'] | trim) ~ eos_token }}",
      '{% endif %}{% endfor %}',
    ),
  ],
])

function joined(...parts: readonly string[]): string {
  return parts.join('')
}
