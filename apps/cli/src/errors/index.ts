export { CommandError } from './command-error.ts'
export { describeError, statusOf } from './describe-error.ts'
export { hints } from './hints.ts'
