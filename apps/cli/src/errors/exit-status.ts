/** Exit statuses of the commands: docs/decisions/exit-statuses.md. Whoever is ended by a signal ends as a shell tells it, 128 + its number. */
export const exitStatus = { success: 0, failure: 1, usage: 2, SIGINT: 130, SIGTERM: 143 } as const
