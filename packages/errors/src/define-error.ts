import type { Fault, IssueError, IssueOf, IssueRule, IssueRules } from './issues.ts'
import { mark } from './recognize.ts'
import { printable } from './text.ts'

/** What stands around the text of an error, and its `cause`. */
export interface IssueErrorOptions extends ErrorOptions {
  /** Stands before the text, as a file's name does: `${prefix}: ${text}`. */
  readonly prefix?: string
  /** Stands after the text, as the lines of further issues do. */
  readonly suffix?: string
}

/** The class that `defineError` makes, with the table that it was made from. */
export interface IssueErrorClass<Rules extends IssueRules> {
  new (issue: IssueOf<Rules>, options?: IssueErrorOptions): IssueError<IssueOf<Rules>>
  readonly rules: Rules
}

/**
 * Makes the error class of a package from the table of its issues: `class XError extends defineError('XError', rules) {}`.
 * Message and fault come from the rule of the issue's code; the message is never longer than a person
 * reads, and carries no control characters but line ends. Instances are recognized by a registered symbol (`issueErrorOf`), not by their class, so that two installed copies of a package understand one another.
 */
export function defineError<const Rules extends IssueRules>(name: string, rules: Rules): IssueErrorClass<Rules> {
  return class extends Error implements IssueError<IssueOf<Rules>> {
    static readonly rules = rules
    override readonly name: string = name
    readonly code: IssueOf<Rules>['code']
    readonly issue: IssueOf<Rules>
    readonly fault: Fault

    constructor(issue: IssueOf<Rules>, { prefix, suffix = '', ...options }: IssueErrorOptions = {}) {
      const { code } = issue as { readonly code: IssueOf<Rules>['code'] }
      const rule = rules[code] as IssueRule<unknown>
      const text = `${rule.text(issue)}${suffix}`
      super(bounded(printable(prefix === undefined ? text : `${prefix}: ${text}`)), options)
      this.code = code
      this.issue = issue
      this.fault = rule.fault
      Object.defineProperty(this, mark, { value: true })
    }
  }
}

/** Rules cut what they quote; this holds for what they forget, such as a path as long as a system takes. */
const longestText = 3800

/** Cuts in the middle, since a message ends with what was expected. */
const bounded = (text: string): string =>
  text.length > longestText ? `${text.slice(0, longestText - 500)} … ${text.slice(-497)}` : text
