// What the commands that read models use of the package that compares them, loaded when there is something to read. Each name stands
// here, so that a bundle has these and no more.
export { diagnosePlan, diffModels, diffPage, planTaskMask, prepareDiff, verifyOutput, writeTaskMask } from '@mk/inspect'
