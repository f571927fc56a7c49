/** What helps, by the code of the error: the packages' messages name none of the commands' flags. */
export const hints: Readonly<Record<string, string>> = {
  'write-failed': 'Free some space or mend the folder, then run the command again.',
  'disk-space': 'Free some space, or give another output folder or a smaller dtype.',
  'code-not-allowed':
    '--method-module FILE loads a module that you trust; --allow-code runs whatever the recipe names, but not under --dry-run.',
  'gguf-family':
    'With --gguf-like FILE (--like FILE to mk-gguf), a GGUF of such a model shows what llama.cpp wants of it.',
  'gguf-pre-tokenizer':
    '--gguf-pre NAME says which of them it is, --pre NAME to mk-gguf; --gguf-like FILE, or --like FILE, takes the tokenizer of a GGUF that has the same.',
  'gguf-vocabulary':
    'Where models have different vocabularies: name one with the shortest as base_model, or keep all tokens with tokenizer: {source: union}, which needs a model of transformers.',
  'gguf-without-tokenizer': 'Without --no-copy-tokenizer it has one.',
  'extract-not-finite': '--exclude-regex PATTERN leaves a module out.',
  'extract-exists': '--overwrite replaces an adapter that is there.',
  'output-exists': '--overwrite replaces an output that a merge has written there.',
  'mixed-architectures': '--allow-crimes merges them all the same, as far as their tensors fit.',
  'stack-unreadable': '--allow-crimes writes it all the same, with a note, for a loader of your own.',
  'template-without-rows': '--allow-crimes merges all the same, with a warning.',
  'plan-missing': 'mergekit-yaml RECIPE OUT --plan-out FILE writes one.',
  'plan-program': 'mergekit-yaml RECIPE OUT --plan-out FILE plans anew.',
  'plan-runtime': 'Without --device the plan says it.',
  'plan-method': '--method-module FILE loads a module that you trust; --allow-code runs the one that the plan names.',
  'planned-input-changed': 'mergekit-yaml RECIPE OUT --plan-out FILE plans anew.',
  'planned-input-gone':
    '--map-path FROM=TO says where a folder of the plan is seen from here; --stream-inputs reads what is at the hub there.',
  'stream-pickles': 'Without --stream-inputs it is downloaded.',
  'output-of-parts': 'mergekit-yaml --plan FILE OUT --finish completes what has all its parts.',
  'unknown-method': 'mergekit-yaml --list-methods prints them all.',
  'unknown-parameter':
    'mergekit-yaml --list-methods prints the parameters of each method; --lenient ignores those that none has, as mergekit does.',
  'no-output': 'mergekit-multi --intermediate-dir FOLDER writes all of them, where none is the output.',
  'unknown-key': '--lenient ignores unknown keys, as mergekit does, with a warning for each.',
}
