import { Document, isScalar, Scalar, visit } from 'yaml'
import { findLookalike } from './syntax-reasons.ts'

/** Writes plain data as YAML: what YAML 1.1, and so mergekit, would read as something else is quoted, lists of numbers stand on one line. */
export function stringifyYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false })
  visit(document, {
    Scalar(key, node) {
      // Words that YAML 1.1, and so mergekit, takes for booleans or null.
      if (typeof node.value === 'string' && /^(y|n|yes|no|on|off|true|false|null|~)$/i.test(node.value))
        node.type = Scalar.QUOTE_DOUBLE
      // As a block, white space at these places would be lost.
      if (typeof node.value === 'string' && /\n/.test(node.value) && /^\s|[ \t](\n|$)/.test(node.value))
        node.type = Scalar.QUOTE_DOUBLE
      // What is refused where it stands without quotes.
      if (typeof node.value === 'string' && findLookalike(node.value) !== undefined) node.type = Scalar.QUOTE_DOUBLE
      if (key === 'key' && node.value === '<<') node.type = Scalar.QUOTE_DOUBLE
    },
    Seq(_, node) {
      node.flow = node.items.every((item) => isScalar(item) && typeof item.value === 'number')
    },
  })
  return document.toString({ lineWidth: 0, flowCollectionPadding: false })
}
