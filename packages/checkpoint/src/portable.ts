// What of this package also runs without Node.
export { CheckpointError, type CheckpointIssue } from './errors.ts'
export { fileRole, type FileRole } from './files/file-roles.ts'
export { formatPythonJson } from './json/format-json.ts'
export { parsePythonJson } from './json/parse-json.ts'
