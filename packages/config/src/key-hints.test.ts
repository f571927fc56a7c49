import { expect, it } from 'vitest'
import { faultsOf, withTop } from './__fixtures__/failures.ts'

const beside = (key: string) => faultsOf(`merge_method: linear\nmodels: [{model: a, ${key}: x}]`)
const inSource = (key: string) => faultsOf(`merge_method: linear\nslices: [{sources: [{model: a, ${key}: x}]}]`)
const top = (key: string) => faultsOf(withTop(`${key}: x`))

it.each([
  [beside('revision'), `'model: org/name@revision'`],
  [inSource('revision'), `'model: org/name@revision'`],
  [inSource('branch'), `'model: org/name@revision'`],
  [beside('lora'), `'model: org/name+org/adapter'`],
  [inSource('adapter_path'), `'model: org/name+org/adapter'`],
  [beside('dtype'), 'it stands at the top level of the config'],
  [inSource('layers'), `did you mean 'layer_range'?`],
  [beside('params'), `did you mean 'parameters'?`],
  [top('output_dir'), 'mergekit-yaml RECIPE OUT'],
  [top('Output_Path'), 'mergekit-yaml RECIPE OUT'],
  [top('seed'), '--random-seed'],
  [top('torch_dtype'), `did you mean 'dtype'?`],
  [top('license'), 'a comment'],
  [top('weight'), 'settings of the merge method stand under parameters'],
  [faultsOf('method: linear\nmodels: [{model: a}]'), `did you mean 'merge_method'?`],
  [faultsOf('merge_method: linear\nmodels: [{name: a}]'), `did you mean 'model'?`],
  [faultsOf('merge_method: linear\nmodels: [{path: a}]'), `did you mean 'model'?`],
  [faultsOf('merge_method: linear\nslices: [{models: [{model: a}]}]'), `did you mean 'sources'?`],
  [
    faultsOf('merge_method: linear\nmodels: [{model: a, parameters: {dare: {drop_rate: 0.9}}}]'),
    'is a mapping, expected',
  ],
])('%j leads to what is meant', (faults, hint) => {
  expect(faults).toEqual([expect.stringContaining(hint)])
})
