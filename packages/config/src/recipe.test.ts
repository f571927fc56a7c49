import { expectTypeOf, test } from 'vitest'
import type { RecipeOf } from './recipe.ts'
import type { shapes } from './schema/shapes.ts'

interface Average {
  readonly name: 'average'
  readonly base: 'none'
  readonly perModel: { readonly weight?: number }
  readonly methodWide: { readonly flat?: boolean; readonly by?: 'sum' | 'count' }
}
type AnyRecipe = RecipeOf<Average>
type KeysOf<T> = T extends unknown ? keyof T : never
type Shape = { readonly [K in keyof typeof shapes]: keyof (typeof shapes)[K]['keys'] }
type Item<T> = T extends readonly (infer One)[] ? One : never
type Of<K extends KeysOf<AnyRecipe>> = NonNullable<Extract<AnyRecipe, Partial<Record<K, unknown>>>[K]>

test('the type of a recipe has the keys that the parser reads', () => {
  expectTypeOf<KeysOf<AnyRecipe>>().toEqualTypeOf<Shape['config']>()
  expectTypeOf<KeysOf<Item<Of<'models'>>>>().toEqualTypeOf<Shape['source']>()
  expectTypeOf<KeysOf<Item<Of<'slices'>>>>().toEqualTypeOf<Shape['slice']>()
  expectTypeOf<KeysOf<Item<Item<Of<'slices'>>['sources']>>>().toEqualTypeOf<Shape['rangedSource']>()
  expectTypeOf<KeysOf<Of<'modules'>[string]>>().toEqualTypeOf<Shape['module']>()
  expectTypeOf<KeysOf<Of<'tokenizer'>>>().toEqualTypeOf<Shape['tokenizer']>()
  expectTypeOf<KeysOf<NonNullable<NonNullable<Of<'tokenizer'>['tokens']>[string]>>>().toEqualTypeOf<Shape['token']>()
  type ModelForm = Exclude<Of<'base_model'>, string>
  type Sum = Extract<ModelForm, { readonly plus: unknown }>
  expectTypeOf<keyof Exclude<ModelForm, Sum>>().toEqualTypeOf<Shape['modelObject']>()
  expectTypeOf<keyof Sum>().toEqualTypeOf<Shape['modelSum']>()
  expectTypeOf<keyof Item<Sum['plus']>>().toEqualTypeOf<Shape['term']>()
})
