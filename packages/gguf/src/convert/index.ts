export { ConversionError, type ConversionIssue } from './errors.ts'
export { ggufFamilies } from './families/all-families.ts'
export type {
  FamilyRope,
  FamilySetting,
  FixedSetting,
  GgufFamily,
  RopeScaling,
  SettingValue,
  TensorRule,
} from './family.ts'
export {
  isConstant,
  type LikeAnswer,
  type LikeQuestion,
  type LikeRequest,
  listLikeQuestions,
  planLearnedTensors,
} from './learn-tensors.ts'
export type { NamedShape } from './map-tensors.ts'
export { type ConversionNotice, explainConversionNotice } from './notices.ts'
export { type DonorRequest, type DonorTensor, type LayerOrigin, planLikeDonor } from './plan-like-donor.ts'
export { type Conversion, type ConversionRequest, hasFamilyMap, planConversion } from './plan-conversion.ts'
export { type GgufModel, type RestoredModel, type RestoredTensor, restoreModel } from './restore-model.ts'
export { type PreTokenizer, preTokenizers } from './tokenizer/pre-tokenizers.ts'
