/**
 * @typedef {object} FaultContext what every scenario of faults is given
 * @property {ReturnType<typeof import('../report.mjs').createReport>} report
 * @property {{ library?: string, missing?: string }} shim
 * @property {string} work an empty folder
 * @property {import('../random.mjs').Random} random
 * @property {boolean} isQuick a sample, for every change
 * @property {number} kills for each recipe of kill and resume
 * @property {number} megabytes of a model for kill and resume
 */

export {}
