/**
 * Who mends it: `usage` — whoever wrote the command line, the recipe or the inputs; the same call gives the same answer until
 * something is changed. `failure` — the machine, the network or a defect; trying again may help.
 */
export type Fault = 'usage' | 'failure'

/** One thing that can go wrong: whose it is to mend, and the sentence that says where, what and what was expected. */
export interface IssueRule<Facts> {
  readonly fault: Fault
  readonly text: (facts: Facts) => string
}

/** Rules by code. A code is unique across all packages. */
export type IssueRules = { readonly [code: string]: IssueRule<never> }

/** The issues that a table of rules describes: a union of `{ code } & facts`, plain data. */
export type IssueOf<Rules extends IssueRules> = {
  [Code in keyof Rules & string]: { readonly code: Code } & Parameters<Rules[Code]['text']>[0]
}[keyof Rules & string]

type NoFacts = Readonly<Record<never, never>>

interface DeclareIssue {
  (text: () => string): IssueRule<NoFacts>
  <Facts>(text: (facts: Facts) => string): IssueRule<Facts>
}

const declare =
  (fault: Fault): DeclareIssue =>
  <Facts>(text: (facts: Facts) => string): IssueRule<Facts> => ({ fault, text })

/** Declares an issue that the user mends: exit status 2. */
export const usage = declare('usage')

/** Declares an issue that is not the user's: exit status 1. */
export const failure = declare('failure')

/** Declares the issues of a package, or of an area of it, beside the code that throws them. */
export const defineIssues = <const Rules extends IssueRules>(rules: Rules): Rules => rules

/** What every error of these packages has. Test `code`; `issue` carries the facts that the message tells. */
export interface IssueError<Issue extends { readonly code: string } = { readonly code: string }> extends Error {
  readonly code: Issue['code']
  readonly issue: Issue
  readonly fault: Fault
}
