/** Exit statuses of the commands, as docs/decisions/exit-statuses.md has them; those of signals are as a shell tells them, 128 + number. */
export const exitStatus = { success: 0, failure: 1, usage: 2, unsound: 3, SIGINT: 130, SIGTERM: 143 } as const
