import {
  groupedOption,
  isPlanOnly,
  type MergeCall,
  type MergeCommand,
  type MergeFlags,
  readModelArgument,
  runMergeCommand,
} from '@mk/cli'
import {
  type ApproximationMethod,
  approximationMethods,
  defaultSettings,
  type MatchChoice,
  matchChoices,
  type SubwordMethod,
  subwordMethods,
  usesK,
  type WeightScheme,
  weightSchemes,
} from '@mk/tokensurgeon/settings'
import { InvalidArgumentError, type Option } from 'commander'

interface SurgeonFlags extends MergeFlags {
  readonly k: number
  readonly approximationMethod: ApproximationMethod
  readonly cosineSimilarity?: boolean
  readonly weightScheme: WeightScheme
  readonly subwordMethod: SubwordMethod
  readonly batchSize: number
  readonly prefixMatch: MatchChoice
  readonly byteMatch: MatchChoice
  readonly magikarp?: boolean
  readonly newVocabNoise: number
  readonly newVocabScale: number
}

const number =
  (isRight: (value: number) => boolean, expected: string) =>
  (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (!isRight(value)) throw new InvalidArgumentError(`Expected ${expected}.`)
    return value
  }

const option = (flags: string, summary: string): Option => groupedOption('recipe', flags, summary)

const definition: MergeCommand<SurgeonFlags> = {
  name: 'mergekit-tokensurgeon',
  summary: 'Give a model the vocabulary of another one: its tokenizer, and a row for each of its tokens.',
  operands: [
    {
      name: 'model',
      summary: 'the model that gets another vocabulary: a folder, or org/name at the hub',
      isNeeded: () => true,
    },
    { name: 'donor', summary: 'the model whose vocabulary it gets', isNeeded: () => true },
    { name: 'out', summary: 'the folder to write', isNeeded: (flags) => !isPlanOnly(flags) },
  ],
  declareOptions(command) {
    const { method, k, weightScheme, subwordMethod, batchSize, prefixMatch, byteMatch } = defaultSettings
    for (const own of [
      option('-a, --approximation-method <name>', 'how rows of tokens are made that the model lacks')
        .choices(approximationMethods)
        .default(method),
      option('-k, --k <count>', 'shared tokens that a new row is made of, at most')
        .argParser(number((value) => Number.isInteger(value) && value >= 0, 'a whole number from 0'))
        .default(k),
      option('-c, --cosine-similarity', 'common_interpolation: the nearest tokens by angle, not by distance'),
      option('-w, --weight-scheme <name>', 'common_interpolation: how the nearest tokens are weighed')
        .choices(weightSchemes)
        .default(weightScheme),
      option('-s, --subword-method <name>', 'subword: what the rows of the pieces become')
        .choices(subwordMethods)
        .default(subwordMethod),
      option('--prefix-match <where>', "-pm: take the row of a new token's longest beginning")
        .choices(matchChoices)
        .default(prefixMatch),
      option('--byte-match <where>', '-bm: take the rows of bytes for single bytes, and the reverse')
        .choices(matchChoices)
        .default(byteMatch),
      option('--magikarp', 'count tokens that look untrained as lacking'),
      option('--new-vocab-noise <deviation>', '-nvn: add normally distributed numbers to new rows')
        .argParser(number((value) => value >= 0 && value < Infinity, 'a number from 0'))
        .default(defaultSettings.newVocabNoise),
      option('--new-vocab-scale <factor>', '-nvs: multiply new rows, after the noise')
        .argParser(number(Number.isFinite, 'a number'))
        .default(defaultSettings.newVocabScale),
      option('--batch-size <count>', 'rows that are made at once, if memory allows; changes no byte')
        .argParser(number(Number.isInteger, 'a whole number'))
        .default(batchSize),
    ])
      command.addOption(own)
  },
  examples: [
    ['mergekit-tokensurgeon org/model org/donor out', 'the model, which speaks the tokens of the donor'],
    ['mergekit-tokensurgeon model donor --dry-run', 'see first how many tokens the models share'],
    [
      'mergekit-tokensurgeon model donor out -a subword -s weighted_mean',
      'new rows by the pieces that the model would read',
    ],
  ],
  async act(call) {
    const { flags, operands } = call
    const [model, donor, out] = operands
    return {
      text: '',
      file: 'mergekit-tokensurgeon',
      isGenerated: true,
      out,
      notes: idleOptions(call),
      async prepare(options) {
        const { prepareTokensurgeon } = await import('@mk/tokensurgeon')
        return prepareTokensurgeon(
          {
            model: await readModelArgument(model!),
            donor: await readModelArgument(donor!),
            method: flags.approximationMethod,
            k: flags.k,
            cosineSimilarity: flags.cosineSimilarity ?? false,
            weightScheme: flags.weightScheme,
            subwordMethod: flags.subwordMethod,
            batchSize: Math.max(0, flags.batchSize),
            prefixMatch: flags.prefixMatch,
            byteMatch: flags.byteMatch,
            magikarp: flags.magikarp ?? false,
            newVocabNoise: flags.newVocabNoise,
            newVocabScale: flags.newVocabScale,
          },
          options,
        )
      },
    }
  },
}

/** Options of other approximations than the one that is asked for. */
function idleOptions({ flags: { approximationMethod: method }, isGiven }: MergeCall<SurgeonFlags>): readonly string[] {
  const idle: readonly (readonly [keyof SurgeonFlags & string, string, boolean])[] = [
    ['k', '-k', usesK(method)],
    ['cosineSimilarity', '--cosine-similarity', method === 'common_interpolation'],
    ['weightScheme', '--weight-scheme', method === 'common_interpolation'],
    ['subwordMethod', '--subword-method', method === 'subword'],
  ]
  return idle.flatMap(([name, flag, isUsed]) =>
    isGiven(name) && !isUsed ? [`${flag} has no effect with the approximation ${method}`] : [],
  )
}

/** Short names of mergekit's that have more than a letter. */
const shortNames: Readonly<Record<string, string>> = {
  '-pm': '--prefix-match',
  '-bm': '--byte-match',
  '-nvn': '--new-vocab-noise',
  '-nvs': '--new-vocab-scale',
}

/** Runs `mergekit-tokensurgeon`, which gives a model another vocabulary. @returns the exit status */
export function mergekitTokensurgeon(args: readonly string[]): Promise<number> {
  const end = args.includes('--') ? args.indexOf('--') : args.length
  const longer = args.map((arg, index) => (index < end && Object.hasOwn(shortNames, arg) ? shortNames[arg]! : arg))
  return runMergeCommand(definition, longer)
}
