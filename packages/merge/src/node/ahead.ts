// What starts a thread, and nothing else of this package: a program can have it from the start, and load the rest meanwhile.
export { startThreadAhead, type ThreadAhead } from './thread-port.ts'
