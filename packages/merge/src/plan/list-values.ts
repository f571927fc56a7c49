import type { ConfigPath, ParameterSetting, ScalarValue } from '@mk/config'

/** Lists all values that a setting can give, and where they stand. @param path of the setting */
export function* listValues(
  setting: ParameterSetting,
  path: ConfigPath,
): Generator<{ readonly value: ScalarValue; readonly path: ConfigPath }> {
  switch (setting.kind) {
    case 'scalar':
      return yield { value: setting.value, path }
    case 'gradient':
      for (const [index, value] of setting.values.entries()) yield { value, path: [...path, index] }
      return
    case 'filtered':
      for (const [index, { value }] of setting.choices.entries()) yield* listValues(value, [...path, index, 'value'])
      return
    default:
      setting satisfies never
  }
}
